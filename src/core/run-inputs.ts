/**
 * What a run was made from, as one short text: `Run.inputHash`. The worker writes it when a run
 * starts and the page computes it again; a part that differs names what has changed since. Parts are
 * `name:value`, joined by spaces. Data are hashed by content and earlier runs stand there by their
 * `seq`, never by an id, so that the hash still holds in a copied or imported project.
 */
import type { Demonstration, Project, Prompt, Ranking, Run, Stage } from './domain';
import { hashText } from './rng';
import { trainingRankings } from './training-rankings';

export interface RunInputs {
  project: Pick<Project, 'base' | 'runs'>;
  demonstrations: readonly Demonstration[];
  prompts: readonly Prompt[];
  rankings: readonly Ranking[];
  /** All runs of the project, or at least those that `project.runs` names. */
  runs: readonly Pick<Run, 'id' | 'seq'>[];
}

const inOrder = <T extends { seq: number }>(records: readonly T[]): T[] =>
  [...records].sort((a, b) => a.seq - b.seq);

const hashOf = (records: readonly unknown[]): string =>
  `${records.length}-${hashText(JSON.stringify(records)).toString(16).padStart(8, '0')}`;

/** By list: the page asks after every key, and ten thousand rankings take a tenth of a second. */
const rankingHashes = new WeakMap<readonly Ranking[], string>();

function hashOfRankings(rankings: readonly Ranking[]): string {
  const known = rankingHashes.get(rankings);
  if (known !== undefined) return known;
  const hash = hashOf(
    inOrder(trainingRankings(rankings))
      .filter(({ outcome }) => outcome === 'ranked')
      .map((r) => [r.prompt, r.completions, r.ranks]),
  );
  rankingHashes.set(rankings, hash);
  return hash;
}

/** The inputs of a stage as they are now. The text of a pretraining run is not kept, so not hashed. */
export function inputHash(stage: Stage, inputs: RunInputs): string {
  const { project, demonstrations, prompts, rankings } = inputs;
  const parts: Record<string, string> = {};
  const runSeq = (id: string | null): string =>
    String(inputs.runs.find((run) => run.id === id)?.seq ?? 'none');
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
      parts.rankings = hashOfRankings(rankings);
      break;
    case 'ppo':
      parts.sft = runSeq(project.runs.sft);
      parts.reward = runSeq(project.runs.reward);
      parts.prompts = hashOf(inOrder(prompts).map(({ text }) => text));
      break;
    case 'dpo':
      // Reward model and prompts change nothing of the policy, but they are what it is measured with.
      parts.sft = runSeq(project.runs.sft);
      parts.rankings = hashOfRankings(rankings);
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

/** Names of the inputs (`demonstrations`, `sft`, …) that differ between two hashes of one stage. */
export function changedInputs(before: string, now: string): string[] {
  const old = partsOf(before);
  return [...partsOf(now)].filter(([name, value]) => old.get(name) !== value).map(([name]) => name);
}
