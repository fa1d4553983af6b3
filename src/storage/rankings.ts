import { projectTable } from './project-table';

export const rankings = projectTable('rankings', 'the rankings');
