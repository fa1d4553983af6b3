import type { ProjectState } from '../../../state/project.svelte';

/** What one model answered: a cell of the Compare stage. */
export type Comparison = Awaited<ReturnType<ProjectState['compare']>>[number];
