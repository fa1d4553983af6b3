import { describe, expect, it } from 'vitest';
import { aState } from './parts';

describe('labelers', () => {
  it('share no name, and people take none of a rule', () => {
    const { people } = aState().project;
    people.add({ code: ' anna ', groups: ['morning'] });
    expect(people.labelers.map(({ code }) => code)).toEqual(['anna', 'me']);
    const values = { attribute: 'cats' as const, noise: 1, harm_aversion: 0, length_bias: 0 };
    for (const bad of [
      { code: 'anna' },
      { code: '  ' },
      { code: 'x'.repeat(81) },
      { code: 'simulated:anna' },
      { code: 'rule', simulated: values },
      { code: 'simulated:', simulated: values },
    ]) {
      expect(() => people.add(bad), bad.code).toThrow(expect.objectContaining({ field: 'code' }));
    }
    people.add({ code: 'simulated:cats', simulated: values });
    expect(() => people.switchTo('simulated:cats')).toThrow(/rule/);
    expect(people.current.code).toBe('me');
    expect(people.persons.map(({ code }) => code)).toEqual(['anna', 'me']);
    expect(people.groups).toEqual(['morning']);
  });

  it('who rank without a profile get one when it is changed', () => {
    const { people } = aState().project;
    people.update('me', { dailyHarmLimit: 3, groups: ['evening'] });
    expect(people.current).toMatchObject({ code: 'me', dailyHarmLimit: 3, groups: ['evening'] });
    expect(people.labelers).toHaveLength(1);
  });
});

describe('guidelines', () => {
  it('are never edited: a change is the next version', () => {
    const { people } = aState().project;
    const first = people.guideline.text;
    people.saveGuideline('  Be kind.  ');
    people.saveGuideline('Be kind.');
    expect(people.guidelines.map(({ version, text }) => [version, text])).toEqual([
      [1, first],
      [2, 'Be kind.'],
    ]);
  });
});
