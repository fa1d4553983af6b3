import { describe, expect, it } from 'vitest';
import type { Ranking } from '../../../src/core/domain';
import { rankingQueues } from '../../../src/core/ranking-queue';
import {
  answeredFields,
  answerOf,
  blankContent,
  contentOf,
  isBlank,
  isDone,
  listTask,
  openPair,
  pairsOf,
  taskFor,
  taskOf,
  type BoardContent,
  type RankingTask,
} from '../../../src/core/ranking-task';
import { medianMs } from '../../../src/core/ranking-queue';
import { inputHash } from '../../../src/core/run-inputs';
import { NO_MODELS } from '../../../src/core/stage-models';
import { trainingRankings } from '../../../src/core/training-rankings';
import { aRanking, aSet } from './ranking-parts';

const set = aSet(0, ['a', 'b', 'c', 'd', 'e'], [4, 2, 0, 3, 1]);

const answer = (task: RankingTask, ranks: number[], content: Partial<BoardContent> = {}): Ranking =>
  aRanking(
    task.set,
    answeredFields(task, {
      outcome: ranks.length === 0 ? 'all-bad' : 'ranked',
      ranks,
      content: { ...blankContent(5), ...content },
      ms: 1200.4,
    }),
  );

describe('pairs', () => {
  it('are disjoint, in the order shown, and leave an odd completion out', () => {
    expect(pairsOf(set)).toEqual([
      [4, 2],
      [0, 3],
    ]);
  });

  it('come one after the other, and the set is done after the last', () => {
    const first = taskFor(set, 'pairs', []);
    expect(first).toMatchObject({ mode: 'pair', cards: [4, 2] });
    const one = answer(first, [2, 1]);
    expect(one).toMatchObject({
      completions: ['e', 'c'],
      ranks: [2, 1],
      order: [0, 1],
      mode: 'pair',
      setId: set.id,
      ms: 1200,
    });
    expect(isDone(set, [one])).toBe(false);
    const second = taskFor(set, 'pairs', [one]);
    expect(second.cards).toEqual([0, 3]);
    const two = answer(second, []);
    expect(isDone(set, [one, two])).toBe(true);
    expect(openPair(set, [one, two])).toBeNull();
    expect(answerOf(first, [one, two])).toBe(one);
    expect(taskOf(two, set)).toEqual(second);
  });

  it('of equal texts are answered one by one', () => {
    const twins = aSet(1, ['x', 'y', 'x', 'y'], [0, 1, 2, 3]);
    const once = answer(taskFor(twins, 'pairs', []), [1, 2]);
    expect(isDone(twins, [once])).toBe(false);
    const again = answer(taskFor(twins, 'pairs', [once]), [1, 2]);
    expect(isDone(twins, [once, again])).toBe(true);
  });

  it('are all answered by a ranking of the whole set', () => {
    expect(isDone(set, [answer(listTask(set), [1, 2, 3, 4, 5])])).toBe(true);
  });
});

describe('what is on a board', () => {
  const content: BoardContent = {
    assigned: [2, 1, 3, 5, 4],
    flags: [[], ['insult'], [], [], []],
    ratings: [{ helpful: 'yes' }, {}, {}, { harmless: 'no' }, {}],
    comment: ' why ',
    unsure: true,
  };

  it('comes back from its ranking as it was', () => {
    const task = listTask(set);
    const ranking = answer(task, [2, 1, 3, 5, 4], content);
    expect(ranking).toMatchObject({ unsure: true, comment: 'why', ratings: content.ratings });
    expect(contentOf(ranking, task)).toEqual({ ...content, comment: 'why' });
    expect(taskOf(ranking, set)).toEqual(task);
  });

  it('of a pair goes to the two completions and back', () => {
    const task = taskFor(set, 'pairs', []);
    const flags: BoardContent['flags'] = [[], [], ['threat'], [], []];
    const ranking = answer(task, [1, 1], { flags });
    expect(ranking.flags).toEqual([[], ['threat']]);
    expect(contentOf(ranking, task)).toEqual({ ...blankContent(5), flags });
  });

  it('leaves out of the ranking what was not said, and knows when nothing was', () => {
    const ranking = answer(listTask(set), [1, 2, 3, 4, 5]);
    for (const field of ['comment', 'unsure', 'ratings', 'repeatOf']) {
      expect(ranking).not.toHaveProperty(field);
    }
    expect(isBlank(blankContent(3))).toBe(true);
    const touches: Partial<BoardContent>[] = [
      { assigned: [null, 1, null] },
      { flags: [[], [], ['other']] },
      { ratings: [{}, { truthful: 'partly' }, {}] },
      { comment: 'x' },
      { unsure: true },
    ];
    for (const touch of touches) expect(isBlank({ ...blankContent(3), ...touch })).toBe(false);
  });
});

describe('queues', () => {
  const sets = [0, 1, 2, 3].map((seq) => aSet(seq, ['a', 'b', 'c', 'd'], [0, 1, 2, 3]));
  const draft = (n: number) => ({ labeler: 'me', setId: sets[n]!.id, ...blankContent(4) });

  it('sort sets by what has become of them', () => {
    const own = [
      aRanking(sets[0]!, { seq: 1 }),
      aRanking(sets[1]!, { seq: 2, outcome: 'skipped', ranks: [] }),
      aRanking(sets[0]!, { seq: 3, repeatOf: 'r-s0-1' }),
      // a repeat answers nothing by itself: its ranking has been deleted
      aRanking(sets[2]!, { seq: 4, repeatOf: 'gone' }),
    ];
    const queues = rankingQueues(sets, own, [draft(3), draft(0)]);
    const ids = (list: readonly { id: string }[]) => list.map(({ id }) => id);
    expect(ids(queues.pending)).toEqual(['s2', 's3']);
    expect(ids(queues.todo)).toEqual(['s2']);
    // a draft of an answered set is a change of the answer
    expect(ids(queues.drafts)).toEqual(['s3', 's0']);
    expect(queues.submitted).toEqual([own[0]]);
    expect(queues.discarded).toEqual([own[1]]);
  });

  it('tell the pace by the median, so that a pause is no slow ranking', () => {
    const timed = [4000, 9000, 3_600_000, 5000].map((ms, seq) => aRanking(sets[0]!, { seq, ms }));
    expect(medianMs(timed, 'list')).toBe(7000);
    expect(medianMs(timed.slice(0, 3), 'list')).toBe(9000);
    expect(medianMs(timed, 'pair')).toBeNull();
  });
});

it('a silent repeat teaches nothing twice', () => {
  const first = aRanking(set, { seq: 0 });
  const repeat = aRanking(set, { seq: 1, repeatOf: first.id });
  expect(trainingRankings([first, repeat])).toEqual([first]);
  // nor does it make a reward model out of date
  const inputs = {
    project: { base: 'nano', runs: { ...NO_MODELS } },
    demonstrations: [],
    prompts: [],
    runs: [],
  };
  const hashes = [[first], [first, repeat], [first, aRanking(aSet(1), { seq: 1 })]].map((ranked) =>
    inputHash('reward', { ...inputs, rankings: ranked }),
  );
  expect(hashes[1]).toBe(hashes[0]);
  expect(hashes[2]).not.toBe(hashes[0]);
});
