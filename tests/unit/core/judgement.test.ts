import { describe, expect, it } from 'vitest';
import { completionKl, summarizeAnswers, type JudgedAnswer } from '../../../src/core/judgement';

const answer = (
  model: JudgedAnswer['model'],
  text: string,
  rest: Partial<JudgedAnswer> & { finish?: 'eos' | 'length'; length?: number } = {},
): JudgedAnswer => ({
  model,
  completion: {
    text,
    tokens: Array<number>(rest.length ?? 4).fill(7),
    logprobs: [],
    finish: rest.finish ?? 'eos',
  },
  score: rest.score ?? null,
  tokenKl: rest.tokenKl ?? null,
});

describe('summarizeAnswers', () => {
  it('takes means and rates of each model on its own', () => {
    const summaries = summarizeAnswers(
      [
        answer('sft', 'Go away.', { score: -1, tokenKl: [0, 0], length: 2 }),
        answer('ppo', 'Of course. Thank you.', { score: 2, tokenKl: [0.5, 1], length: 6 }),
        answer('sft', 'Gladly, my dear.', { score: 1, tokenKl: [0], finish: 'length', length: 8 }),
        answer('ppo', 'With pleasure.', { score: 1, tokenKl: [-0.5, 0], length: 4 }),
      ],
      'polite',
    );
    expect(summaries).toEqual([
      {
        model: 'sft',
        answers: 2,
        reward: 0,
        kl: 0,
        attributeRate: 0.5,
        unfinishedRate: 0.5,
        tokens: 5,
      },
      {
        model: 'ppo',
        answers: 2,
        reward: 1.5,
        kl: 0.5,
        attributeRate: 1,
        unfinishedRate: 0,
        tokens: 5,
      },
    ]);
  });

  it('has no mean where one answer has no value', () => {
    const [summary] = summarizeAnswers(
      [answer('base', 'A cat.', { score: 1 }), answer('base', 'A cat.', { tokenKl: [1] })],
      'cats',
    );
    expect(summary).toMatchObject({ reward: null, kl: null, attributeRate: 1 });
  });

  it('asks the rule of the task', () => {
    const said = [answer('ppo', 'The cat was happy.')];
    expect(summarizeAnswers(said, 'happy')[0]!.attributeRate).toBe(1);
    expect(summarizeAnswers(said, 'polite')[0]!.attributeRate).toBe(0);
  });

  it('is empty for no answers', () => {
    expect(summarizeAnswers([], 'happy')).toEqual([]);
  });
});

it('adds up the KL of a completion', () => {
  expect(completionKl([1, -0.25])).toBe(0.75);
  expect(completionKl([])).toBe(0);
  expect(completionKl(null)).toBeNull();
});
