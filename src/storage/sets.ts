import { projectTable } from './project-table';

export const sets = projectTable('sets', 'the completions');
