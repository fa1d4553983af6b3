/** A project with sets to rank, and what a person does at the board. */
import { expect, type Locator, type Page } from '@playwright/test';
import { scriptReady } from './fixture';
import type { CandidateSet, Project, Ranking } from '../../src/core/domain';
import { aRanking, aSet } from '../unit/core/ranking-parts';

/** The card with this letter; its letter stays with it wherever it moves. */
export const card = (page: Page, letter: string): Locator =>
  page.getByRole('button', { name: new RegExp(`, completion ${letter}[,:]`) });

export const rankings = (page: Page): Promise<Ranking[]> =>
  page.evaluate(() => window.rlhf.listRankings());

/** Ranks in the order in which the cards were shown: A, B, C, D. */
export const byLetter = (ranking: Ranking | undefined): (number | undefined)[] | undefined =>
  ranking?.order.map((completion) => ranking.ranks[completion]);

const FRIENDLY = [
  'It is by the well, my friend.',
  'By the well.',
  'I think it is in the shed, or by the well, or in the boat.',
  'Of course. It is by the well, and the rope is with it.',
];

/** Sets of four; `texts` replaces the completions of some. */
export const someSets = (count: number, texts: Record<number, string[]> = {}): CandidateSet[] =>
  Array.from({ length: count }, (_, i) => aSet(i, texts[i] ?? FRIENDLY, [2, 0, 3, 1]));

/** Rankings of all these sets by other people. */
export const rankedBy = (labelers: readonly string[], sets: readonly CandidateSet[]): Ranking[] =>
  sets.map((set, seq) =>
    aRanking(set, { seq, id: `r${seq}`, labeler: labelers[seq % labelers.length]! }),
  );

/**
 * Opens a project that holds these records. They are written where the page stores its own, because
 * letting a model write them takes a minute and says nothing about ranking.
 */
export async function openProjectWith(
  page: Page,
  sets: readonly CandidateSet[],
  ranked: readonly Ranking[] = [],
  record: Partial<Project> = {},
): Promise<void> {
  await page.goto('/');
  await scriptReady(page);
  const projectId = await page.evaluate(async () => {
    await window.rlhf.ready();
    return window.rlhf.newProject({ name: 'Ranking', base: 'nano', seed: 1 });
  });
  await page.evaluate(
    ([id, setRecords, rankingRecords, change]) =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open('rlhf-playground');
        opening.onerror = () => reject(opening.error ?? new Error('The database is closed.'));
        opening.onsuccess = () => {
          const db = opening.result;
          const tx = db.transaction(['projects', 'sets', 'rankings'], 'readwrite');
          const projects = tx.objectStore('projects');
          const stored = projects.get(id) as IDBRequest<Project>;
          stored.onsuccess = () => projects.put({ ...stored.result, ...change });
          for (const set of setRecords) tx.objectStore('sets').put({ ...set, projectId: id });
          for (const ranking of rankingRecords) {
            tx.objectStore('rankings').put({ ...ranking, projectId: id });
          }
          tx.oncomplete = () => {
            db.close();
            resolve();
          };
          tx.onerror = () => reject(tx.error ?? new Error('Nothing was stored.'));
        };
      }),
    [projectId, sets, ranked, record] as const,
  );
  await page.reload();
  await scriptReady(page);
  await expect(page.getByRole('navigation', { name: 'Steps' })).toBeVisible();
}

export const openRankings = (page: Page): Promise<void> =>
  page.getByRole('navigation', { name: 'Steps' }).getByText('Rankings').click();

/** The same, open at the board. */
export async function openBoardWith(
  page: Page,
  sets: readonly CandidateSet[],
  ranked: readonly Ranking[] = [],
): Promise<void> {
  await openProjectWith(page, sets, ranked);
  await openRankings(page);
  await expect(page.getByRole('region', { name: 'Ranking board' })).toBeVisible();
}
