import { PlaygroundError } from './errors';

/** Refuses what would change a project that another tab writes to. */
export const readOnly = (): PlaygroundError =>
  new PlaygroundError({
    code: 'read-only',
    message: 'Another tab writes to this project, so it can only be read here.',
    remedy: 'Choose "Take over" at the top of this page, or go on in the other tab.',
  });
