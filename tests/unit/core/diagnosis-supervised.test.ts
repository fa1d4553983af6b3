import { describe, expect, test } from 'vitest';
import { diagnose, enoughRows } from '../../../src/core/diagnosis';
import { independentPairs } from '../../../src/core/diagnosis-supervised';
import type { MetricRow } from '../../../src/core/domain';
import { gaussian, permutation } from '../../../src/core/rng';
import { change, COUNTS, idsOf, rewardRows, runOf, sftRows } from './diagnosis-runs';

const sft = (rows: readonly MetricRow[]) => idsOf(runOf('sft', rows));
const reward = (rows: readonly MetricRow[], counts = COUNTS) =>
  idsOf(runOf('reward', rows, { counts }));

describe('SFT', () => {
  test('200 healthy runs, short and long, are silent', () => {
    for (let seed = 1; seed <= 200; seed++) {
      expect(sft(sftRows({ seed })), `seed ${seed}`).toEqual([]);
      expect(sft(sftRows({ seed, steps: 60 })), `seed ${seed}`).toEqual([]);
    }
  });

  test('pad-is-eos: the end token is trained on in no row, or in some', () => {
    const none = change(sftRows(), () => ({ 'check/end_tokens': 0 }));
    expect(sft(none)).toEqual(['pad-is-eos']);
    const some = change(sftRows(), () => ({ 'check/end_tokens': 0.875 }));
    const [finding] = diagnose(runOf('sft', some));
    expect(finding).toMatchObject({ id: 'pad-is-eos', severity: 'alarm', steps: [1, 20] });
    expect(finding?.evidence).toContain('88 %');
  });

  test('no-prompt-mask: prompt tokens count in the loss', () => {
    const rows = change(sftRows(), () => ({ 'check/prompt_tokens': 61 }));
    expect(sft(rows)).toEqual(['no-prompt-mask']);
    expect(diagnose(runOf('sft', rows))[0]?.evidence).toMatch(/^61 prompt tokens/);
  });

  test('one odd row names neither', () => {
    const rows = change(sftRows(), (_, i) =>
      i === 7 ? { 'check/end_tokens': 0, 'check/prompt_tokens': 9 } : {},
    );
    expect(sft(rows)).toEqual([]);
  });

  test('loss-rising: it ends above its start, or above its best', () => {
    const jumps = change(sftRows(), (row, i) => (i < 2 ? {} : { loss: 2.5 + 0.1 * (i % 3) }));
    const [finding] = diagnose(runOf('sft', jumps));
    expect(finding).toMatchObject({ id: 'loss-rising', severity: 'alarm' });
    expect(finding?.cause).toContain('0.001');
    const turns = change(sftRows({ steps: 40 }), (row, i) =>
      i < 20 ? {} : { loss: 0.15 + 0.05 * (i - 20) },
    );
    expect(sft(turns)).toEqual(['loss-rising']);
  });

  test('loss-rising: as logged at a learning rate fifty times too high', () => {
    // Only the first step, before anything was learnt, was better than the end.
    const loss = [
      0.602, 4.09, 8.49, 8.08, 10.3, 8.37, 8.41, 8.42, 6.94, 6.08, 5.3, 4.86, 4.57, 4.44, 4.33,
      4.44, 3.56, 4.26, 3.75, 3.97,
    ];
    const rows = change(sftRows(), (_, i) => ({ loss: loss[i]! }));
    expect(diagnose(runOf('sft', rows))).toMatchObject([{ id: 'loss-rising', steps: [1, 20] }]);
  });

  test('a last batch that is hard, or a loss that levels off, does not rise', () => {
    const hard = change(sftRows(), (row, i) => (i === 19 ? { loss: 0.35 } : {}));
    expect(sft(hard)).toEqual([]);
    const level = change(sftRows({ steps: 40 }), (_, i) => ({ loss: 0.3 + 0.06 * ((i * 7) % 3) }));
    expect(sft(level)).toEqual([]);
    for (let seed = 1; seed <= 100; seed++) {
      const noisy = change(sftRows({ steps: 40 }), (_, i) => ({
        loss: 2 + 0.4 * gaussian(seed, 89, i),
      }));
      expect(sft(noisy), `seed ${seed}`).toEqual([]);
    }
  });

  test('sft-memorises: the held-out loss turns while the training loss goes to nothing', () => {
    const rows = change(sftRows({ steps: 60 }), (row, i) => ({
      loss: 0.02 + 0.6 * Math.exp(-i / 6),
      eval_loss: row['eval_loss'] === undefined ? null : i < 10 ? 0.4 : 0.35 + 0.003 * i,
    }));
    const [finding] = diagnose(runOf('sft', rows));
    expect(finding).toMatchObject({ id: 'sft-memorises', severity: 'warning' });
    expect(finding?.evidence).toContain('while the training loss fell to 0.02');
  });

  test('a held-out loss that rises by a fifth, or with the training loss not far below, is healthy', () => {
    const fifth = change(sftRows({ steps: 60 }), (row, i) => ({
      loss: 0.05,
      eval_loss: row['eval_loss'] === undefined ? null : i < 12 ? 0.6 : 0.72,
    }));
    expect(sft(fifth)).toEqual([]);
    const beside = change(sftRows({ steps: 60 }), (row, i) => ({
      loss: 0.4,
      eval_loss: row['eval_loss'] === undefined ? null : i < 12 ? 0.5 : 0.7,
    }));
    expect(sft(beside)).toEqual([]);
  });
});

describe('reward model', () => {
  test('200 healthy runs, of 8 and of 40 steps, are silent', () => {
    for (let seed = 1; seed <= 200; seed++) {
      expect(reward(rewardRows({ seed })), `seed ${seed}`).toEqual([]);
      expect(reward(rewardRows({ seed, steps: 40 })), `seed ${seed}`).toEqual([]);
    }
  });

  test('loss-rising: the learning rate blows it up', () => {
    const rows = change(rewardRows(), (row, i) => ({ loss: 0.8 + 0.9 * i }));
    expect(reward(rows)).toEqual(['loss-rising']);
  });

  const manyEpochs = (rise: number, accuracy: number, lost = 0) =>
    change(rewardRows({ steps: 64, stepsPerEpoch: 8 }), (row, i) => ({
      loss: 0.7 * Math.exp(-i / 12),
      accuracy: Math.min(accuracy, 0.6 + 0.01 * i),
      eval_loss: row['eval_loss'] === undefined ? null : 0.53 + rise * Math.max(0, i / 63 - 0.2),
      eval_accuracy: row['eval_loss'] === undefined ? null : 0.84 - (lost * i) / 63,
    }));

  test('shuffled-pairs: after several epochs training is perfect and the held-out loss rises', () => {
    const [finding] = diagnose(runOf('reward', manyEpochs(0.6, 1), { counts: COUNTS }));
    expect(finding).toMatchObject({ id: 'shuffled-pairs', severity: 'warning' });
    const worse = runOf('reward', manyEpochs(0.6, 1, 0.1), { counts: COUNTS });
    expect(diagnose(worse)).toMatchObject([{ id: 'shuffled-pairs', severity: 'alarm' }]);
    expect(finding?.evidence).toMatch(
      /100 % of the training pairs .* 0\.53 .* to 1\.01 .*8 epochs/,
    );
  });

  test('several epochs that do no harm are silent', () => {
    expect(reward(manyEpochs(0.06, 1))).toEqual([]);
    expect(reward(manyEpochs(0.6, 0.9))).toEqual([]);
    const tenth = change(manyEpochs(0, 1), (row, i) => ({
      eval_loss: row['eval_loss'] === undefined ? null : i < 12 ? 0.8 : 0.86,
    }));
    expect(reward(tenth)).toEqual([]);
    const tiny = change(manyEpochs(0, 1), (row, i) => ({
      loss: 0.01,
      eval_loss: row['eval_loss'] === undefined ? null : i < 12 ? 0.1 : 0.14,
    }));
    expect(reward(tiny)).toEqual([]);
  });

  test('the same within one epoch is no memory of it', () => {
    const rows = change(manyEpochs(0.6, 1), (row, i) => ({
      epoch: (i + 1) / 64,
      accuracy: 1,
      loss: 0.1,
    }));
    expect(reward(rows)).toEqual([]);
  });

  test('reward-near-chance: an alarm at 52 %, a warning where the pairs are too few to tell', () => {
    const guessing = runOf('reward', rewardRows({ accuracy: 0.52 }), { counts: COUNTS });
    expect(diagnose(guessing)).toMatchObject([{ id: 'reward-near-chance', severity: 'alarm' }]);
    const few = { ...COUNTS, heldOutPairs: 20 };
    const chance = runOf('reward', rewardRows({ accuracy: 0.5 }), { counts: few });
    expect(diagnose(chance)).toMatchObject([{ id: 'reward-near-chance', severity: 'warning' }]);
    const unsure = runOf('reward', rewardRows({ accuracy: 0.65 }), { counts: few });
    expect(diagnose(unsure)).toMatchObject([{ id: 'reward-near-chance', severity: 'warning' }]);
    expect(diagnose(unsure)[0]?.evidence).toMatch(/^65 % of about 20 .* 39 % to 84 % \(95 %\)/);
  });

  test('the same share of more pairs can be told from a coin', () => {
    expect(reward(rewardRows({ accuracy: 0.65 }), { ...COUNTS, heldOutPairs: 150 })).toEqual([]);
  });

  test('nothing is said before all rankings have been read, nor without held-out pairs', () => {
    expect(reward(rewardRows({ accuracy: 0.5 }).slice(0, 7))).toEqual([]);
    expect(reward(rewardRows({ accuracy: 0.5 }), { ...COUNTS, heldOutPairs: 0 })).toEqual([]);
    expect(idsOf(runOf('reward', rewardRows({ accuracy: 0.5 })))).toEqual([]);
  });

  test('reward-upside-down: surely below a coin', () => {
    expect(reward(rewardRows({ accuracy: 0.2 }))).toEqual(['reward-upside-down']);
    expect(reward(rewardRows({ accuracy: 0.42 }))).toEqual(['reward-near-chance']);
  });

  test('too-few-rankings: below 30', () => {
    expect(reward(rewardRows(), { ...COUNTS, rankings: 29 })).toEqual(['too-few-rankings']);
    expect(reward(rewardRows(), { ...COUNTS, rankings: 30 })).toEqual([]);
    expect(reward([], { ...COUNTS, rankings: 3 })).toEqual([]);
  });

  test('six steps are enough to say that nothing is wrong', () => {
    expect(enoughRows({ stage: 'reward', rows: rewardRows({ steps: 5 }) })).toBe(false);
    expect(enoughRows({ stage: 'sft', rows: sftRows({ steps: 6 }) })).toBe(true);
  });
});

test('the pairs of a ranking count as fewer independent ones, as many as their chance spread says', () => {
  // A model that guesses: how many of the six pairs of four completions it orders right, over draws.
  const draws = 4000;
  const right = Array.from({ length: draws }, (_, draw) => {
    const order = permutation(4, 7, 92, draw);
    let count = 0;
    for (let i = 0; i < 4; i++) for (let j = i + 1; j < 4; j++) if (order[i]! < order[j]!) count++;
    return count / 6;
  });
  const mean = right.reduce((sum, share) => sum + share, 0) / draws;
  const variance = right.reduce((sum, share) => sum + (share - mean) ** 2, 0) / draws;
  // Of n independent pairs: ¼ / n.
  expect(0.25 / variance).toBeCloseTo(independentPairs(6, 4), 1);
  expect(independentPairs(10, 2)).toBe(10);
});
