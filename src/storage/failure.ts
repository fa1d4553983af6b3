import { PlaygroundError } from '../core/errors';
import { noRoom } from './room';

/**
 * Whatever IndexedDB threw, in plain words. Errors of our own pass through unchanged.
 * @param what the thing being read or written, as it stands in the sentence: 'the ranking'
 */
export function storageFailure(thrown: unknown, what: string): PlaygroundError {
  if (thrown instanceof PlaygroundError) return thrown;
  const name = thrown instanceof Error ? thrown.name : '';
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  if (name === 'QuotaExceededError') return noRoom(what);
  if (name === 'DataCloneError') {
    return new PlaygroundError({
      code: 'storage',
      message: `A value in ${what} cannot be stored: ${detail}`,
    });
  }
  if (name === 'InvalidStateError') {
    return new PlaygroundError({
      code: 'storage',
      message: `The connection to the database is closed, so ${what} could not be reached.`,
      remedy: 'Reload the page; what was saved is still there.',
    });
  }
  if (name === 'AbortError' || name === 'UnknownError') {
    return new PlaygroundError({
      code: 'storage',
      message: `The browser gave up on storing or reading ${what}: ${detail}`,
      remedy: 'Try again; if it fails again, export the project and check for free disk space.',
    });
  }
  return new PlaygroundError({
    code: 'storage',
    message: `${what} could not be stored or read: ${detail}`,
  });
}
