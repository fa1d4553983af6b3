/**
 * What a run was made from, as one short text: `Run.inputHash`. The worker writes it when a run
 * starts and the page computes it again; a part that differs names what has changed since. Parts are
 * `name:value`, joined by spaces. Data are hashed by content and earlier runs stand there by their
 * `seq`, never by an id, so that the hash still holds in a copied or imported project.
 */
import type { Demonstration, Project, Prompt, Ranking, Run, Stage } from './domain';
import { weightOf } from './electorate';
import { hashText } from './rng';
import { trainingRankings } from './training-rankings';

export interface RunInputs {
  project: Pick<Project, 'base' | 'runs' | 'electorate'>;
  demonstrations: readonly Demonstration[];
  prompts: readonly Prompt[];
  rankings: readonly Ranking[];
  /** All runs of the project, or at least those that `project.runs` names. */
  runs: readonly Pick<Run, 'id' | 'seq'>[];
}

export const inOrder = <T extends { seq: number }>(records: readonly T[]): T[] =>
  [...records].sort((a, b) => a.seq - b.seq);

export const hashOf = (records: readonly unknown[]): string =>
  `${records.length}-${hashText(JSON.stringify(records)).toString(16).padStart(8, '0')}`;

const rankedInOrder = (rankings: readonly Ranking[]): Ranking[] =>
  inOrder(trainingRankings(rankings)).filter(({ outcome }) => outcome === 'ranked');

/** By list: the page asks after every key, and ten thousand rankings take a tenth of a second. */
const rankingHashes = new WeakMap<readonly Ranking[], string>();

function hashOfRankings(rankings: readonly Ranking[]): string {
  const known = rankingHashes.get(rankings);
  if (known !== undefined) return known;
  const hash = hashOf(rankedInOrder(rankings).map((r) => [r.prompt, r.completions, r.ranks]));
  rankingHashes.set(rankings, hash);
  return hash;
}

/** The inputs of a stage as they are now. The text of a pretraining run is not kept, so not hashed. */
export function inputHash(stage: Stage, inputs: RunInputs): string {
  const { project, demonstrations, prompts, rankings } = inputs;
  const parts: Record<string, string> = {};
  const runSeq = (id: string | null): string =>
    String(inputs.runs.find((run) => run.id === id)?.seq ?? 'none');
  const rankingParts = (): void => {
    parts.rankings = hashOfRankings(rankings);
    if (project.electorate === undefined) return;
    const weights = rankedInOrder(rankings).map(({ labeler }) =>
      weightOf(project.electorate, labeler),
    );
    // Nothing where everyone counts alike: runs of earlier releases know no electorate.
    if (weights.some((weight) => weight !== weights[0] || weight === 0))
      parts.electorate = hashOf(weights);
  };
  switch (stage) {
    case 'pretrain':
      break;
    case 'sft':
      parts.base = project.runs.base === null ? project.base : runSeq(project.runs.base);
      parts.demonstrations = hashOf(
        inOrder(demonstrations).map((d) => [d.prompt, d.completion, d.heldOut]),
      );
      break;
    case 'reward':
      parts.sft = runSeq(project.runs.sft);
      rankingParts();
      break;
    case 'ppo':
      parts.sft = runSeq(project.runs.sft);
      parts.reward = runSeq(project.runs.reward);
      parts.prompts = hashOf(inOrder(prompts).map(({ text }) => text));
      break;
    case 'dpo':
      // Reward model and prompts change nothing of the policy, but they are what it is measured with.
      parts.sft = runSeq(project.runs.sft);
      rankingParts();
      parts.reward = runSeq(project.runs.reward);
      parts.prompts = hashOf(inOrder(prompts).map(({ text }) => text));
      break;
  }
  return Object.entries(parts)
    .map(([name, value]) => `${name}:${value}`)
    .join(' ');
}

function partsOf(hash: string): Map<string, string> {
  return new Map(
    hash
      .split(' ')
      .filter((part) => part.includes(':'))
      .map((part) => [part.slice(0, part.indexOf(':')), part.slice(part.indexOf(':') + 1)]),
  );
}

/**
 * Names of the inputs (`demonstrations`, `sft`, …) that differ between two hashes of one stage, those
 * that only one of them has included.
 */
export function changedInputs(before: string, now: string): string[] {
  const [old, fresh] = [partsOf(before), partsOf(now)];
  return [...new Set([...fresh.keys(), ...old.keys()])].filter(
    (name) => old.get(name) !== fresh.get(name),
  );
}
