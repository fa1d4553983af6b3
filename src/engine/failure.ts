/**
 * Errors that the GPU reports after the fact (lost device, refused commands). They arrive between
 * our calls, so they are kept here and thrown by the next engine call, which has a caller to tell.
 */
import type { PlaygroundError } from '../core/errors';

let pending: PlaygroundError | null = null;

/** Keeps the first failure; later ones are its consequences. */
export function reportFailure(error: PlaygroundError): void {
  pending ??= error;
}

/**
 * Throws the failure that the GPU reported since the engine was opened, if there is one.
 * A lost device stays lost: the failure is thrown again until the engine is reopened.
 * @throws PlaygroundError 'engine' or 'device-lost'
 */
export function throwFailure(): void {
  const error = pending;
  if (error === null) return;
  if (error.code !== 'device-lost') pending = null;
  throw error;
}

/** Forgets what happened to an earlier device. */
export function clearFailure(): void {
  pending = null;
}
