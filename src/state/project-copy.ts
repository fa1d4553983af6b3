/** A project under fresh ids: what an import or a duplicate is stored as, beside the original. */
import type { Project, Run } from '../core/domain';
import { renameInputs } from '../core/run-inputs';
import type { ProjectBundle } from '../formats/project-file';
import { newId } from './ids';

/** Every id replaced, every reference with it; ids that name nothing here (shipped bases) stay. */
export function withFreshIds(
  bundle: ProjectBundle,
  place: Pick<Project, 'name' | 'seq'>,
): ProjectBundle {
  const projectId = newId();
  const fresh = new Map<string, string>();
  const lists = [
    bundle.demonstrations,
    bundle.prompts,
    bundle.sets,
    bundle.rankings,
    bundle.runs,
    bundle.checkpoints.map(({ manifest }) => manifest),
  ];
  for (const list of lists) for (const { id } of list) fresh.set(id, newId());
  const rename = (id: string): string => fresh.get(id) ?? id;
  const renameOrNull = (id: string | null): string | null => (id === null ? null : rename(id));
  const own = <T extends { id: string }>(record: T) => ({
    ...record,
    id: rename(record.id),
    projectId,
  });
  const { runs } = bundle.project;
  const now = Date.now();
  return {
    project: {
      ...bundle.project,
      ...place,
      id: projectId,
      runs: {
        base: renameOrNull(runs.base),
        sft: renameOrNull(runs.sft),
        reward: renameOrNull(runs.reward),
        ppo: renameOrNull(runs.ppo),
      },
      createdAt: now,
      updatedAt: now,
    },
    demonstrations: bundle.demonstrations.map(own),
    prompts: bundle.prompts.map(own),
    sets: bundle.sets.map((set) => ({
      ...own(set),
      promptId: rename(set.promptId),
      sourceRunId: rename(set.sourceRunId),
    })),
    rankings: bundle.rankings.map((ranking) => ({
      ...own(ranking),
      setId: renameOrNull(ranking.setId),
    })),
    runs: bundle.runs.map((run): Run => ({
      ...own(run),
      status: run.status === 'running' || run.status === 'paused' ? 'interrupted' : run.status,
      inputHash: renameInputs(run.inputHash, rename),
      parentId: renameOrNull(run.parentId),
      checkpointId: renameOrNull(run.checkpointId),
    })),
    metrics: bundle.metrics.map(({ runId, rows }) => ({ runId: rename(runId), rows })),
    checkpoints: bundle.checkpoints.map(({ manifest, tensors }) => ({
      manifest: { ...own(manifest), runId: rename(manifest.runId) },
      tensors,
    })),
  };
}
