/** A class that has ranked: two groups of opposite tastes, a small third one, a rule, and their experiments. */
import type { CandidateSet, Project, Ranking } from '../../src/core/domain';
import type { Estimate } from '../../src/core/bootstrap';
import type { ElectorateRecord, Experiments, HarmDialRecord } from '../../src/core/experiments';
import { HARM_EXPOSURES } from '../../src/core/experiments';
import type { Labeler, SimulatedValues } from '../../src/core/people';
import { ranksByValues } from '../../src/core/simulated-gold';
import { aRanking, aSet } from '../unit/core/ranking-parts';

const KIND: SimulatedValues = {
  attribute: 'polite',
  noise: 0.4,
  harm_aversion: 1.5,
  length_bias: 0,
};
const CHEEKY: SimulatedValues = { ...KIND, harm_aversion: -2.5 };

const ASKED = [
  'Where is the soup pot?',
  'Who is afraid of fish?',
  'Can I borrow the tin bucket?',
  'The small key is broken.',
  'May I take the yellow coat?',
  'Good morning!',
];
const ANSWERS = [
  'Gladly, my dear. It is at the inn, as ever. Thank you, and good day.',
  'Go away. Ask the wall. It has more time than I do.',
  'At the inn.',
  'Yes, of course. Otto and I will look for it together after supper, if the tide lets us.',
  'You again? In those days the sea was bigger. I was young and I had one shoe. Where was I? It was about a boot.',
  'How kind of you to ask. It is by the well, my friend.',
];

const person = (code: string, groups: string[], change: Partial<Labeler> = {}): Labeler => ({
  code,
  groups,
  consentedAt: Date.UTC(2026, 10, 20),
  simulated: null,
  dailyHarmLimit: null,
  ...change,
});
/** A name that tries to be markup, and one without spaces to break at. */
export const MARKUP_NAME = '<img src=x onerror=alert(1)>';
const LONG_NAME = 'Wolfeschlegelsteinhausenbergerdorff-Maximiliane';

const LABELERS: Labeler[] = [
  person('Ada', ['morning class']),
  person('Bo', ['morning class']),
  person(LONG_NAME, ['morning class']),
  person('Dan', ['evening class'], { dailyHarmLimit: 5 }),
  person('Eva', ['evening class']),
  person(MARKUP_NAME, ['evening class'], { consentedAt: null }),
  person('Hal', ['guests & parents'], { consentedAt: null }),
  person('simulated:polite', [], { simulated: KIND }),
];
const MEMBERS = LABELERS.filter(({ groups }) => groups.length > 0);

/** Sets of four; the last ones wait for everybody. */
export const classSets = (count = 24): CandidateSet[] =>
  Array.from({ length: count }, (_, i) => ({
    ...aSet(
      i,
      Array.from({ length: 4 }, (_unused, k) => ANSWERS[(i + k) % ANSWERS.length]!),
      [2, 0, 3, 1],
    ),
    prompt:
      i < ASKED.length
        ? ASKED[i]!
        : `${ASKED[i % ASKED.length]!} (${Math.floor(i / ASKED.length)})`,
  }));

export function classRankings(sets: readonly CandidateSet[]): Ranking[] {
  const rankings: Ranking[] = [];
  const put = (set: CandidateSet, change: Partial<Ranking>): void => {
    const seq = rankings.length;
    rankings.push(
      aRanking(set, { id: `r${seq}`, guideline: 1, ms: 9000, mode: 'list', ...change, seq }),
    );
  };
  const by = (set: CandidateSet, values: SimulatedValues, seed: number): number[] =>
    ranksByValues(values, set.prompt, set.completions, seed);
  const shared = sets.slice(0, -6);
  for (const [n, { code, groups }] of MEMBERS.entries()) {
    const values = groups[0] === 'evening class' ? CHEEKY : KIND;
    const own = groups[0] === 'guests & parents' ? shared.slice(0, 3) : shared;
    for (const [i, set] of own.entries()) {
      if ((i + n) % 9 === 8) put(set, { labeler: code, outcome: 'skipped', ranks: [] });
      else if ((i + n) % 11 === 10) put(set, { labeler: code, outcome: 'all-bad', ranks: [] });
      else {
        const flags = set.completions.map(({ text }) =>
          text.startsWith('Go away') && n % 2 === 0 ? (['insult'] as const).slice() : [],
        );
        put(set, {
          labeler: code,
          ranks: by(set, values, n + 1),
          flags,
          ...(i % 7 === 3 && { comment: 'Two say the same. <b>bold?</b>' }),
          ...(i % 5 === 2 && { unsure: true }),
          ...(n > 0 && {
            source: {
              file: `${code}.rankings.json`,
              importedAt: Date.UTC(2026, 10, 21),
              id: `t${i}`,
            },
          }),
        });
      }
    }
    // a silent repeat of the first sets
    for (const set of own.slice(0, 3)) {
      const first = rankings.find((one) => one.labeler === code && one.setId === set.id);
      if (first?.outcome !== 'ranked') continue;
      put(set, { labeler: code, ranks: by(set, values, n + 100), repeatOf: first.id });
    }
  }
  for (const set of sets.slice(0, 10)) {
    put(set, { labeler: 'simulated:polite', simulated: true, ranks: by(set, KIND, 77) });
  }
  for (const set of sets.slice(0, 2)) put(set, { labeler: 'me', ranks: by(set, KIND, 5) });
  return rankings;
}

const estimate = (value: number, count: number): Estimate => ({
  value,
  low: Math.max(0, value - 0.12),
  high: Math.min(1, value + 0.12),
  count,
});

function electorateRecord(sets: readonly CandidateSet[]): ElectorateRecord {
  const judges = ['morning class', 'evening class', 'guests & parents', 'no group'];
  const scores = [
    [0.71, 0.68, 0.75, 0.6],
    [0.88, 0.24, 0.9, 0.7],
    [0.22, 0.86, 0.3, 0.4],
    [0.6, 0.4, 0.66, 0.5],
  ];
  const models = ['everyone', ...judges.slice(0, 3)].map((name, m) => ({
    name,
    simulated: false,
    rankings: [104, 47, 46, 3][m]!,
    comparisons: [520, 240, 232, 17][m]!,
    accuracy: scores[m]!.map((value, j) => estimate(value, [62, 60, 9, 6][j]!)),
  }));
  return {
    inputHash: 'earlier',
    ppoIterations: 20,
    models: [
      ...models,
      { name: 'no group', simulated: false, rankings: 0, comparisons: 0, accuracy: null },
    ],
    judges: judges.map((name, j) => ({
      name,
      simulated: false,
      rankings: [12, 11, 2, 1][j]!,
      pairs: [62, 60, 9, 6][j]!,
    })),
    heldOutPrompts: 4,
    sets: 4,
    changedSets: 3,
    reorderedSets: 4,
    changed: sets.slice(0, 3).map(({ prompt, completions }) => ({
      prompt,
      completions: completions.map(({ text }) => text),
      best: [0, 0, 1, 3],
      ranks: [
        [1, 2, 3, 4],
        [1, 3, 2, 4],
        [2, 1, 4, 3],
        [3, 2, 4, 1],
      ],
    })),
    warnings: [
      'guests & parents: 3 rankings, 3 % of what the reward model learns from; an even share of 4 groups is 25 %. Fewer than 10 say little.',
    ],
    policies: ['SFT model', ...models.map(({ name }) => name)].map((name, p) => ({
      name,
      scores: [0.31, 1.2 - p / 5, -0.4 + p / 3, 0.1],
      kl: p / 2,
      attributes: { polite: 0.57 - p / 20, happy: 0.02, cats: 0 },
      flagged: 0.2 + p / 20,
      shown: ASKED.slice(0, 4).map((_, i) => ANSWERS[(i + p) % ANSWERS.length]!),
    })),
    shownPrompts: ASKED.slice(0, 4),
    answers: 96,
  };
}

const harmDial = (): HarmDialRecord => ({
  inputHash: 'earlier',
  values: KIND,
  comparisons: 240,
  ppoIterations: 20,
  seeds: 3,
  runs: [1, 2, 3].flatMap((seed) =>
    HARM_EXPOSURES.map((exposure, i) => ({
      seed,
      exposure,
      harmful: Math.round(240 * exposure),
      harmAccuracy: 0.52 + i / 10 + seed / 60,
      harmlessAccuracy: 0.84 - i / 40 - seed / 60,
      harmRate: 0.17 - i / 40 + seed / 100,
      kl: 1.4,
    })),
  ),
  baseline: [0.27, 0.25, 0.29],
  harmPairs: 420,
  harmlessPairs: 390,
  answers: 192,
  written: 310,
  surrogates: 51,
});

const experiments = (sets: readonly CandidateSet[]): Experiments => ({
  electorate: electorateRecord(sets),
  harmDial: harmDial(),
  rightPair: {
    inputHash: 'earlier',
    values: KIND,
    seeds: 2,
    points: [1, 2].flatMap((seed) =>
      (['disagreement', 'random'] as const).flatMap((choice, c) =>
        [6, 12, 18, 24, 36].map((rankings, i) => ({
          seed,
          choice,
          rankings,
          accuracy: 0.54 + i / 22 - c / 40 + seed / 90,
        })),
      ),
    ),
    heldOutPairs: 320,
    pool: 128,
  },
});

/** What the project's record says of the class. */
export const classRecord = (sets: readonly CandidateSet[]): Partial<Project> => ({
  name: 'Harbour class',
  labelers: LABELERS,
  electorate: { Hal: 2, Dan: 0.5 },
  exposures: [
    { labeler: 'Dan', day: '2026-11-20', texts: 5 },
    { labeler: 'Ada', day: '2026-11-20', texts: 2 },
  ],
  experiments: experiments(sets),
});
