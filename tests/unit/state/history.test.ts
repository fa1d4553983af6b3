import { describe, expect, it } from 'vitest';
import type { Demonstration } from '../../../src/core/domain';
import { History } from '../../../src/state/history.svelte';
import type { ProjectStore } from '../../../src/state/ports';
import { SaveQueue } from '../../../src/state/save-queue.svelte';
import { aState } from './parts';

const BLOCKS = 'Prompt: a\nResponse: A\n\nPrompt: b\nResponse: B\n\nPrompt: c\nResponse: C\n';
const texts = (project: ReturnType<typeof aState>['project']) =>
  project.demonstrations.map(({ prompt, completion }) => `${prompt}/${completion}`);

describe('undo and redo of demonstrations', () => {
  it('takes adding, editing and deleting back and does them again, in order', () => {
    const { project } = aState();
    expect(project.addDemonstrations(BLOCKS).added).toBe(3);
    const [first, second] = project.demonstrations;
    project.updateDemonstration(first!.id, { completion: 'AA' });
    project.deleteDemonstration(second!.id);
    expect(texts(project)).toEqual(['a/AA', 'c/C']);
    expect(project.demonstrationEdits.history.undoLabel).toBe('Delete demonstration');

    project.demonstrationEdits.undo();
    expect(texts(project)).toEqual(['a/AA', 'b/B', 'c/C']);
    project.demonstrationEdits.undo();
    expect(texts(project)).toEqual(['a/A', 'b/B', 'c/C']);
    project.demonstrationEdits.redo();
    project.demonstrationEdits.redo();
    expect(texts(project)).toEqual(['a/AA', 'c/C']);
    expect(project.demonstrationEdits.history.canRedo).toBe(false);

    project.demonstrationEdits.undo();
    project.demonstrationEdits.undo();
    project.demonstrationEdits.undo();
    expect(texts(project)).toEqual([]);
    expect(project.demonstrationEdits.history.canUndo).toBe(false);
  });

  it('forgets what was undone once something new is done', () => {
    const { project } = aState();
    project.addDemonstrations(BLOCKS);
    project.deleteDemonstration(project.demonstrations[0]!.id);
    project.demonstrationEdits.undo();
    project.updateDemonstration(project.demonstrations[1]!.id, { prompt: 'new' });
    expect(project.demonstrationEdits.history.canRedo).toBe(false);
  });

  it('counts keys typed in quick succession in one field as one step, and no others', () => {
    const history = new History();
    const record = { id: 'd', projectId: 'p', prompt: '', completion: '', heldOut: false, seq: 0 };
    const type = (prompt: string, at: number, key = 'd/prompt') =>
      history.push(
        { label: 'Edit', changes: [{ id: 'd', before: record, after: { ...record, prompt } }] },
        { key, at },
      );
    type('h', 0);
    type('hi', 300);
    type('hi!', 5000);
    type('x', 5100, 'd/completion');
    expect(
      [history.undo(), history.undo(), history.undo(), history.undo()].map(
        (s) => s?.changes[0]?.after?.prompt,
      ),
    ).toEqual(['x', 'hi!', 'hi', undefined]);
  });
});

describe('saving', () => {
  it('says saved only after the transaction, and keeps what could not be stored', async () => {
    const { project, commits, storeState, said } = aState();
    project.addDemonstrations(BLOCKS);
    expect(project.saved).toBe('saving');
    storeState.failing = true;
    await expect(project.flush()).rejects.toThrow('disk full');
    expect(project.saved).toBe('failed');
    expect(said).toEqual(['disk full']);
    expect(commits).toEqual([]);

    storeState.failing = false;
    await project.flush();
    expect(project.saved).toBe('saved');
    expect(commits[0]?.demonstrations?.size).toBe(3);
  });

  it('stores a text edit within 250 ms without being asked', async () => {
    const { project, commits } = aState();
    project.addDemonstrations(BLOCKS);
    await project.flush();
    const { id } = project.demonstrations[0]!;
    project.updateDemonstration(id, { completion: 'typed' });
    await new Promise((later) => setTimeout(later, 250));
    expect(commits.at(-1)?.demonstrations?.get(id)?.completion).toBe('typed');
    expect(project.saved).toBe('saved');
  });

  const record = (prompt: string): Demonstration => ({
    id: 'd',
    projectId: 'p1',
    prompt,
    completion: '',
    heldOut: false,
    seq: 1,
  });
  /** A queue whose transactions end when `settle` says so. */
  const slowQueue = () => {
    const commits: Parameters<ProjectStore['commit']>[0][] = [];
    let settle = (_error?: Error): void => {};
    const queue = new SaveQueue({
      commit: (changes) =>
        new Promise((resolve, reject) => {
          commits.push(changes);
          settle = (error) => (error === undefined ? resolve() : reject(error));
        }),
      commitAtOnce: () => {},
      requireWriter: () => {},
      onFailure: () => {},
    });
    return { queue, commits, settle: (error?: Error) => settle(error) };
  };

  it('does not say saved while something that came meanwhile is in line', async () => {
    const { queue, settle } = slowQueue();
    queue.put('demonstrations', 'd', record('first'));
    const first = queue.flush();
    queue.put('demonstrations', 'd', record('second'), true);
    settle();
    await first;
    expect(queue.saved).toBe('saving');
    const second = queue.flush();
    settle();
    await second;
    expect(queue.saved).toBe('saved');
  });

  it('a change that could not be stored does not overwrite what came after it', async () => {
    const { queue, commits, settle } = slowQueue();
    queue.put('demonstrations', 'd', record('old'));
    const first = queue.flush();
    queue.put('demonstrations', 'd', record('new'), true);
    settle(new Error('disk full'));
    await expect(first).rejects.toThrow('disk full');
    const second = queue.flush();
    settle();
    await second;
    expect(commits.at(-1)?.demonstrations?.get('d')?.prompt).toBe('new');
  });
});
