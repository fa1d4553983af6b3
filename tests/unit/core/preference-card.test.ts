import { describe, expect, it } from 'vitest';
import type { ElectorateRecord } from '../../../src/core/experiments';
import type { Project, Ranking } from '../../../src/core/domain';
import type { Labeler } from '../../../src/core/people';
import { preferenceCard, type CardInput } from '../../../src/core/preference-card';
import { preferenceMarkdown } from '../../../src/core/preference-markdown';
import { atOnce } from '../../../src/core/slices';
import { NO_MODELS } from '../../../src/core/stage-models';

const labeler = (code: string, groups: string[], consentedAt: number | null = null): Labeler => ({
  code,
  groups,
  consentedAt,
  simulated: null,
  dailyHarmLimit: null,
});

const ranking = (i: number, change: Partial<Ranking> = {}): Ranking => ({
  id: `r${i}`,
  projectId: 'p',
  setId: null,
  prompt: `Prompt ${i}`,
  completions: ['The pot is here.', 'You old boot.', 'Ask Tom.'],
  ranks: [1, 3, 2],
  outcome: 'ranked',
  labeler: 'Ada',
  simulated: false,
  flags: [[], [], []],
  order: [0, 1, 2],
  seq: i,
  ...change,
});

const project = (change: Partial<Project> = {}): Project => ({
  id: 'p',
  name: 'Harbour | <b>class</b>',
  base: 'nano',
  seed: 1,
  page: 'people',
  settings: {},
  runs: { ...NO_MODELS },
  labelers: [
    labeler('Ada', ['morning'], 5),
    labeler('Bo', ['evening']),
    {
      ...labeler('simulated:polite', []),
      simulated: { attribute: 'polite', noise: 0.4, harm_aversion: 1.5, length_bias: 0 },
    },
  ],
  guidelines: [
    { version: 1, text: 'First.', createdAt: 0 },
    { version: 2, text: '# Second\n- <i>kind</i>', createdAt: 1 },
  ],
  exposures: [
    { labeler: 'Ada', day: '2026-01-01', texts: 3 },
    { labeler: 'Ada', day: '2026-01-02', texts: 5 },
    { labeler: 'Bo', day: '2026-01-02', texts: 1 },
  ],
  seq: 0,
  createdAt: Date.UTC(2026, 0, 1),
  updatedAt: Date.UTC(2026, 0, 2),
  ...change,
});

const card = (change: Partial<CardInput> = {}) =>
  atOnce(
    preferenceCard({
      project: project(),
      rankings: [],
      demonstrations: [{ heldOut: true }, { heldOut: false }],
      reward: null,
      ...change,
    }),
  );

const rankings: Ranking[] = [
  ranking(0, { guideline: 2 }),
  ranking(0, { id: 'b0', labeler: 'Bo', ranks: [3, 1, 2], guideline: 2 }),
  ranking(1, { flags: [['other'], [], []], unsure: true }),
  ranking(2, { outcome: 'skipped', ranks: [] }),
  ranking(3, { repeatOf: 'r0', prompt: 'Prompt 0', source: { file: 'a', importedAt: 1 } }),
  ranking(4, { labeler: 'simulated:polite', simulated: true }),
  ranking(4, { id: 's2', labeler: 'simulated:happy', simulated: true, ranks: [3, 2, 1] }),
];

/** Everyone's reward model tried on one group; another group has none. */
const ELECTORATE: ElectorateRecord = {
  inputHash: '',
  ppoIterations: 0,
  models: [
    {
      name: 'all',
      simulated: false,
      rankings: 9,
      comparisons: 27,
      accuracy: [{ value: 0.4, low: 0.2, high: 0.6, count: 20 }],
    },
    { name: 'morning', simulated: false, rankings: 0, comparisons: 0, accuracy: null },
  ],
  judges: [{ name: 'evening', simulated: false, rankings: 5, pairs: 20 }],
  heldOutPrompts: 2,
  sets: 0,
  changedSets: 0,
  changed: [],
  warnings: [],
  policies: null,
  shownPrompts: [],
  answers: 0,
};

describe('the preference card', () => {
  const full = card({
    rankings,
    reward: { config: { held_out_ratio: 0.2 }, finalRow: { eval_accuracy: 0.75, eval_pairs: 16 } },
    project: project({ experiments: { electorate: ELECTORATE } }),
  });

  it('counts people and rules apart, by group, and names nobody', () => {
    expect(full.people).toMatchObject({
      rankings: 5,
      ranked: 4,
      skipped: 1,
      repeats: 1,
      unsure: 1,
      labelers: 2,
      consented: 1,
      groups: [
        { name: 'morning', labelers: 1, rankings: 4 },
        { name: 'evening', labelers: 1, rankings: 1 },
      ],
    });
    expect(full.simulated).toMatchObject({
      rankings: 2,
      labelers: [
        { code: 'simulated:polite', rankings: 1 },
        { code: 'simulated:happy', rankings: 1 },
      ],
    });
    // Ada and Bo decide three pairs alike in one; the two rules would make it more
    expect(full.people.agreement?.pairwise).toMatchObject({ value: 0, count: 3 });
    expect(full.people.agreement?.selfConsistency).toMatchObject({ value: 1, count: 3 });
    expect(full.simulated.agreement?.pairwise.count).toBe(3);
    expect(JSON.stringify(full)).not.toMatch(/Ada|"Bo"/);
  });

  it('counts harmful outputs by people and by word list, and comparisons with harmless ones', () => {
    // six rankings with an order, one of "You old boot." in each, one more flagged by hand
    expect(full.harm).toEqual({ outputs: 18, byPeople: 1, byLexicon: 6, comparisons: 12 });
    expect(card({ rankings, project: project({ electorate: { Ada: 0 } }) }).harm.outputs).toBe(9);
  });

  it('says under which guideline, what was held out, and what was read', () => {
    expect(full.guidelines).toMatchObject([{ version: 2, rankings: 2 }]);
    expect(full.withoutGuideline).toBe(5);
    expect(full.heldOut).toMatchObject({ rankings: 0.2, demonstrations: 1, labelersLeftOut: 0 });
    expect(full.exposure).toEqual({ texts: 9, labelers: 2, days: 3, most: 5 });
    expect(full.rewardModel).toMatchObject({ accuracy: 0.75, pairs: 16 });
    expect(full.importedFiles).toBe(1);
  });

  it('names its limits: few people, few rankings, small groups, rules', () => {
    const limits = full.limits.join('\n');
    expect(limits).toMatch(/Only 2 people ranked/);
    expect(limits).toMatch(/Under-represented: “evening” with 1 of 5/);
    expect(limits).toMatch(/1 of 2 labelers have not said/);
    expect(limits).toMatch(/2 of 7 rankings were made by rules/);
    expect(limits).toMatch(/Only 12 comparisons set a harmful output/);
    expect(card().limits.join('\n')).toMatch(/No person ranked/);
  });

  it('is Markdown in which names mean nothing but themselves', () => {
    const text = preferenceMarkdown(full);
    expect(text).toContain('# Whose preferences: Harbour \\| \\<b\\>class\\</b\\>');
    expect(text).toContain('> \\# Second');
    expect(text.replaceAll('\\<', '')).not.toContain('<');
    expect(text).toContain('- Pairwise agreement: 0 % (3 pairs)');
    expect(text).toContain(
      '- Trained on all: judged by evening 40 % (20 % to 60 %; 20 comparisons)',
    );
    expect(text).toContain('- Group evening: 1 person, 1 ranking\n');
    expect(text).toContain(
      'simulated:polite (1 ranking, likes answers that are polite, noise 0.4, minds harm by 1.5); simulated:happy (1 ranking)',
    );
    expect(text).toContain('9 harmful texts by 2 labelers');
  });

  it('of no rankings at all says so', () => {
    const empty = card();
    expect(empty.people.agreement).toBeNull();
    expect(preferenceMarkdown(empty)).toContain('not known: no set was ranked by two people');
  });
});
