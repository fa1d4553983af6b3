import { projectTable } from './project-table';

export const demonstrations = projectTable('demonstrations', 'the demonstrations');
