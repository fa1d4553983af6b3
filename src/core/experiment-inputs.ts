/** What an experiment was measured on, as one short text: see run-inputs.ts. */
import { electorateGroups } from './electorate';
import type { ExperimentName } from './experiments';
import type { Labeler } from './people';
import { hashOf, inOrder, inputHash, type RunInputs } from './run-inputs';

export interface ExperimentInputs extends RunInputs {
  project: RunInputs['project'] & { labelers?: Labeler[] };
}

/**
 * The inputs of an experiment as they are now. The electorate stands on the rankings and on who is in
 * which group; the others on the SFT model and the prompts.
 */
export function experimentHash(
  name: Exclude<ExperimentName, 'ask-first'>,
  inputs: ExperimentInputs,
): string {
  if (name !== 'electorate') {
    const { project, prompts, runs } = inputs;
    const seq = runs.find(({ id }) => id === project.runs.sft)?.seq ?? 'none';
    return `sft:${seq} prompts:${hashOf(inOrder(prompts).map(({ text }) => text))}`;
  }
  const { labelers = [] } = inputs.project;
  const ranked = inOrder(inputs.rankings).filter(({ outcome }) => outcome === 'ranked');
  const groups = electorateGroups(ranked, labelers);
  const places = ranked.map(({ labeler }) =>
    groups.map((g) => Number(g.labelers.includes(labeler))),
  );
  return `${inputHash('reward', inputs)} groups:${hashOf([groups.map(({ name }) => name), ...places])}`;
}
