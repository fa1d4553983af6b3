import { describe, expect, it } from 'vitest';
import type { Project, Ranking } from '../../../src/core/domain';
import { blankContent, type BoardContent } from '../../../src/core/ranking-task';
import type { ProjectState } from '../../../src/state/project.svelte';
import { aSet } from '../core/ranking-parts';
import { aProject, aState } from './parts';

/** A project whose sets are written. */
function desk(
  texts: readonly (readonly string[])[] = Array.from({ length: 6 }, () => ['a', 'b', 'c', 'd']),
  record: Partial<Project> = {},
) {
  const sets = texts.map((list, seq) => aSet(seq, list));
  const { project } = aState({}, aProject(record), { sets });
  return { project, desk: project.desk };
}
/** The same project, opened again: only what is stored is left. */
function reloaded({ record, sets, rankings }: ProjectState) {
  const { project } = aState({}, record, { sets: [...sets], rankings: [...rankings] });
  return { project, desk: project.desk };
}

const RANKS = [2, 1, 3, 4];
const ranked = (content: Partial<BoardContent> = {}) => ({
  outcome: 'ranked' as const,
  ranks: RANKS,
  content: { ...blankContent(4), assigned: RANKS, ...content },
  ms: 1000,
});
const skipped = { outcome: 'skipped' as const, ranks: [], content: blankContent(4), ms: 1 };
const seqOf = (project: ProjectState): number | undefined => project.desk.task?.set.seq;
const last = (project: ProjectState): Ranking => project.rankings.at(-1)!;

describe('answers', () => {
  it('carry the labeler, the guideline that holds, the time and the mode', () => {
    const { project, desk: d } = desk();
    project.people.saveGuideline('Be kind.');
    d.submit(d.task!, ranked({ unsure: true, comment: 'hm' }));
    expect(last(project)).toMatchObject({
      labeler: 'me',
      guideline: 2,
      ms: 1000,
      mode: 'list',
      unsure: true,
      comment: 'hm',
      simulated: false,
    });
    expect(seqOf(project)).toBe(1);
  });

  it('of two people on one machine stay apart', () => {
    const { project, desk: d } = desk();
    d.submit(d.task!, ranked());
    project.people.add({ code: 'anna' });
    project.people.switchTo('anna');
    expect(seqOf(project)).toBe(0);
    d.submit(d.task!, ranked());
    expect(last(project).labeler).toBe('anna');
    project.people.switchTo('me');
    expect(seqOf(project)).toBe(1);
    d.undo();
    expect(project.rankings.map(({ labeler }) => labeler)).toEqual(['anna']);
    expect(d.undo()).toBeNull();
  });

  it('can be changed: same id and place, the time adds up', () => {
    const { project, desk: d } = desk();
    d.submit(d.task!, ranked());
    d.submit(d.task!, ranked());
    const first = project.rankings[0]!;
    expect(d.reopen(first)).toBe(true);
    expect(d.changing).toBe(true);
    expect(d.contentOf(d.task!).assigned).toEqual(RANKS);
    d.submit(d.task!, { ...ranked(), ranks: [1, 2, 3, 4] });
    expect(project.rankings).toHaveLength(2);
    expect(project.rankings[0]).toMatchObject({ id: first.id, ranks: [1, 2, 3, 4], ms: 2000 });
    expect(seqOf(project)).toBe(2);
    // undo takes the change back, then the answers themselves
    d.undo();
    expect(project.rankings[0]).toEqual(first);
    expect(d.contentOf(d.task!).assigned).toEqual([1, 2, 3, 4]);
    d.undo();
    d.undo();
    expect(project.rankings).toHaveLength(0);
  });
});

describe('undo', () => {
  it('goes back without end, each board as it was', () => {
    const { project, desk: d } = desk();
    d.submit(d.task!, ranked({ comment: 'one' }));
    d.submit(d.task!, skipped);
    d.submit(d.task!, ranked({ flags: [['threat'], [], [], []] }));
    expect(d.undo()!.flags[0]).toEqual(['threat']);
    expect(seqOf(project)).toBe(2);
    expect(d.contentOf(d.task!)).toMatchObject({
      assigned: RANKS,
      flags: [['threat'], [], [], []],
    });
    expect(d.queues.drafts.map(({ seq }) => seq)).toEqual([2]);
    d.undo();
    expect(seqOf(project)).toBe(1);
    expect(d.contentOf(d.task!)).toEqual(blankContent(4));
    d.undo();
    expect(d.contentOf(d.task!).comment).toBe('one');
    expect(d.undo()).toBeNull();
    expect(d.canUndo).toBe(false);
  });

  it('after a reload takes the newest', () => {
    const { project, desk: d } = desk();
    d.submit(d.task!, ranked());
    d.submit(d.task!, ranked());
    const again = reloaded(project);
    expect(again.desk.undo()!.id).toBe(last(project).id);
    expect(again.desk.contentOf(again.desk.task!).assigned).toEqual(RANKS);
  });

  it('leaves scripted and imported rankings alone', () => {
    const { project, desk: d } = desk();
    project.addRanking({
      prompt: 'p',
      completions: ['x', 'y'],
      ranks: [1, 2],
      labeler: 'me',
      flags: [],
    });
    expect(d.canUndo).toBe(false);
    expect(d.undo()).toBeNull();
    expect(project.rankings).toHaveLength(1);
  });
});

describe('drafts', () => {
  const half = { ...blankContent(4), assigned: [1, null, null, null] };

  it('are kept for their labeler, and come back with their set', () => {
    const { project, desk: d } = desk();
    const task = d.task!;
    d.keep(task, half, 'me');
    // what is begun stays on the desk
    expect(d.task).toBe(task);
    expect(d.queues.todo).toHaveLength(5);
    expect(d.later()).toBe(true);
    expect(seqOf(project)).toBe(1);
    d.submit(d.task!, ranked());
    expect(seqOf(project)).toBe(2);
    d.open(d.queues.drafts[0]!);
    expect(d.contentOf(d.task!).assigned).toEqual(half.assigned);
    d.submit(d.task!, ranked());
    expect(d.queues.drafts).toEqual([]);
    expect(project.record.drafts).toEqual([]);
  });

  it('are what a person comes back to after a reload', () => {
    const { project, desk: d } = desk();
    d.later();
    d.keep(d.task!, half, 'me');
    const again = reloaded(project);
    expect(seqOf(again.project)).toBe(1);
    expect(again.desk.contentOf(again.desk.task!).assigned).toEqual(half.assigned);
    again.desk.submit(again.desk.task!, ranked());
    expect(seqOf(again.project)).toBe(0);
  });

  it('go when the board is emptied; an empty board makes none', () => {
    const { project, desk: d } = desk();
    d.keep(d.task!, half, 'me');
    d.keep(d.task!, blankContent(4), 'me');
    expect(project.record.drafts).toEqual([]);
  });

  it('of one labeler are saved as theirs, also when another has taken over', () => {
    const { project, desk: d } = desk();
    const task = d.task!;
    project.people.switchTo('anna');
    d.keep(task, half, 'me');
    expect(project.people.drafts).toEqual([]);
    expect(project.record.drafts).toMatchObject([{ labeler: 'me' }]);
    d.keep(task, half, 'anna');
    expect(project.record.drafts).toMatchObject([{ labeler: 'me' }, { labeler: 'anna' }]);
  });
});

describe('skipping', () => {
  it('is free, and what was skipped can be taken back', () => {
    const { project, desk: d } = desk();
    d.submit(d.task!, skipped);
    expect(d.queues.discarded).toHaveLength(1);
    expect(d.queues.submitted).toHaveLength(0);
    d.takeBack(d.queues.discarded[0]!);
    expect(project.rankings).toHaveLength(0);
    expect(d.queues.todo).toHaveLength(6);
  });
});

describe('pairs', () => {
  it('asks for all pairs of a set before the next set', () => {
    const { project, desk: d } = desk();
    expect(project.setSetting('rankings', 'mode', 'pairs')).toBeNull();
    const pair = { ...ranked(), ranks: [1, 2] };
    expect(d.task).toMatchObject({ mode: 'pair', cards: [0, 1] });
    d.submit(d.task!, pair);
    expect(d.task).toMatchObject({ mode: 'pair', cards: [2, 3] });
    expect(seqOf(project)).toBe(0);
    expect(d.queues.todo).toHaveLength(6);
    d.submit(d.task!, { ...pair, outcome: 'all-bad', ranks: [] });
    expect(seqOf(project)).toBe(1);
    expect(d.queues.todo).toHaveLength(5);
    expect(project.rankings.map(({ mode, completions }) => [mode, completions])).toEqual([
      ['pair', ['a', 'b']],
      ['pair', ['c', 'd']],
    ]);
    d.undo();
    expect(d.task).toMatchObject({ mode: 'pair', cards: [2, 3] });
    // a set in hand follows the mode
    d.later();
    project.setSetting('rankings', 'mode', 'list');
    expect(d.task).toMatchObject({ mode: 'list', cards: [0, 1, 2, 3] });
  });
});

describe('care', () => {
  const TEXTS = [
    ['a', 'b', 'Go away, you fool.', 'd'],
    ['a', 'b', 'c', 'd'],
  ];

  it('counts each harmful text once for a labeler and set, and stops at the limit', () => {
    const { project, desk: d } = desk(TEXTS);
    const { set } = d.task!;
    expect([0, 1, 2, 3].map((card) => d.isCovered(set, card))).toEqual([false, false, true, false]);
    project.people.update('me', { dailyHarmLimit: 1 });
    expect(d.limitReached).toBe(false);
    const text = set.completions[2]!.text;
    d.noteRead(set.id, text);
    d.noteRead(set.id, text);
    expect(project.people.exposedToday).toBe(1);
    expect(d.limitReached).toBe(true);
    // the set in hand stays; after it, sets with covered texts wait at the end
    expect(d.task!.set.id).toBe(set.id);
    const fresh = reloaded(project);
    expect(seqOf(fresh.project)).toBe(1);
    fresh.desk.submit(fresh.desk.task!, ranked());
    expect(seqOf(fresh.project)).toBe(0);
    fresh.project.people.update('me', { dailyHarmLimit: 5 });
    expect(fresh.desk.limitReached).toBe(false);
    // another labeler's count is their own
    project.people.switchTo('anna');
    expect(project.people.exposedToday).toBe(0);
  });

  it('covers what anybody has flagged', () => {
    const { project, desk: d } = desk([TEXTS[1]!]);
    d.submit(d.task!, ranked({ flags: [[], ['other'], [], []] }));
    project.people.switchTo('anna');
    expect([0, 1, 2, 3].map((card) => d.isCovered(d.task!.set, card))).toEqual([
      false,
      true,
      false,
      false,
    ]);
  });
});

describe('silent repeats', () => {
  const many = Array.from({ length: 60 }, () => ['a', 'b', 'c', 'd']);

  it('come unannounced, are stored as such and leave the queues as they are', () => {
    const { project, desk: d } = desk(many);
    while (d.task !== null && d.task.repeatOf === null) d.submit(d.task, ranked());
    const repeat = d.task!;
    const todo = d.queues.todo.length;
    expect(todo).toBeGreaterThan(0);
    expect(d.contentOf(repeat)).toEqual(blankContent(4));
    d.keep(repeat, { ...blankContent(4), comment: 'x' }, 'me');
    expect(d.queues.drafts).toEqual([]);
    d.submit(d.task!, ranked());
    expect(last(project)).toMatchObject({ repeatOf: repeat.repeatOf, order: repeat.cards });
    expect(d.queues.todo).toHaveLength(todo);
    expect(d.queues.submitted.some(({ repeatOf }) => repeatOf !== undefined)).toBe(false);
    expect(d.task!.repeatOf).toBeNull();
    d.undo();
    expect(d.task).toMatchObject({ repeatOf: repeat.repeatOf, cards: repeat.cards });
    expect(d.contentOf(d.task!).assigned).toEqual(RANKS);
  });

  it('are of whole sets: in pairs the next set comes instead', () => {
    const { project, desk: d } = desk(many);
    while (d.task !== null && d.task.repeatOf === null) d.submit(d.task, ranked());
    const repeat = d.task!;
    d.keep(repeat, { ...blankContent(4), unsure: true }, 'me');
    project.setSetting('rankings', 'mode', 'pairs');
    expect(d.task!.set.id).toBe(d.queues.todo[0]!.id);
    expect(d.task!.set.id).not.toBe(repeat.set.id);
  });

  it('can be turned off', () => {
    const { project, desk: d } = desk(many);
    project.setSetting('rankings', 'silent_repeats', false);
    while (d.task !== null) d.submit(d.task, ranked());
    expect(project.rankings).toHaveLength(many.length);
  });
});
