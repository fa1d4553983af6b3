/** What is in a project file, before any of it is stored. */
import type { ProjectBundle } from '../formats/project-file';

/** @throws PlaygroundError `format` naming the file and the field; every checksum has been checked */
export async function readProjectBundle(file: Blob): Promise<ProjectBundle> {
  const { readProjectFile } = await import('../formats/project-file');
  return readProjectFile(new Uint8Array(await file.arrayBuffer()));
}

export interface ProjectPreview {
  name: string;
  demonstrations: number;
  prompts: number;
  sets: number;
  rankings: number;
  /** Of the rankings: by rules, not by people. */
  simulated: number;
  runs: number;
  checkpoints: number;
  /** Of all weights and optimizer states. */
  bytes: number;
  /** Whether this very project is stored here; the import stands beside it then. */
  isHere: boolean;
}

export function previewOf(
  bundle: ProjectBundle,
  projects: readonly { id: string }[],
): ProjectPreview {
  const { project, demonstrations, prompts, sets, rankings, runs, checkpoints } = bundle;
  return {
    name: project.name,
    demonstrations: demonstrations.length,
    prompts: prompts.length,
    sets: sets.length,
    rankings: rankings.length,
    simulated: rankings.filter(({ simulated }) => simulated).length,
    runs: runs.length,
    checkpoints: checkpoints.length,
    bytes: checkpoints.reduce((sum, { manifest }) => sum + manifest.bytes, 0),
    isHere: projects.some(({ id }) => id === project.id),
  };
}
