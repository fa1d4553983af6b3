import { projectTable } from './project-table';

export const prompts = projectTable('prompts', 'the prompts');
