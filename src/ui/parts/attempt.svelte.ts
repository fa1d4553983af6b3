import { toErrorDetails, type ErrorDetails } from '../../core/errors';

/**
 * One thing a person can ask for, with its outcome: `busy` while it is under way, `error` when it
 * was refused, so that the reason stands beside the button that caused it.
 */
export class Attempt {
  busy = $state(false);
  error = $state.raw<ErrorDetails | null>(null);

  /** Runs `action` unless one is under way; resolves to true when it succeeded. Never rejects. */
  async run(action: () => unknown): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.error = null;
    try {
      await action();
      return true;
    } catch (thrown) {
      this.error = toErrorDetails(thrown);
      return false;
    } finally {
      this.busy = false;
    }
  }
}
