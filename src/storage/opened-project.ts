import type { CandidateSet, Demonstration, Project, Prompt, Ranking, Run } from '../core/domain';
import { complete, noProject } from './project-record';
import { ofProject } from './project-table';
import type { Database } from './schema';
import { read } from './transaction';

/** Every record of a project but metrics and checkpoints, in order of `seq`, as they are at one moment. */
export interface OpenedProject {
  project: Project;
  revision: number;
  demonstrations: Demonstration[];
  prompts: Prompt[];
  sets: CandidateSet[];
  rankings: Ranking[];
  runs: Run[];
}

/** @throws PlaygroundError `not-found` */
export async function loadOpened(db: Database, id: string): Promise<OpenedProject> {
  const opened = await read('the project', async () => {
    const tx = db.transaction([
      'projects',
      'demonstrations',
      'prompts',
      'sets',
      'rankings',
      'runs',
    ]);
    const range = ofProject(id);
    const [stored, demonstrations, prompts, sets, rankings, runs] = await Promise.all([
      tx.objectStore('projects').get(id),
      tx.objectStore('demonstrations').index('byProject').getAll(range),
      tx.objectStore('prompts').index('byProject').getAll(range),
      tx.objectStore('sets').index('byProject').getAll(range),
      tx.objectStore('rankings').index('byProject').getAll(range),
      tx.objectStore('runs').index('byProject').getAll(range),
    ]);
    return { stored, demonstrations, prompts, sets, rankings, runs };
  });
  const { stored, ...records } = opened;
  if (stored === undefined) throw noProject();
  return { project: complete(stored), revision: stored.revision ?? 0, ...records };
}
