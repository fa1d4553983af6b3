/**
 * How much work is handed to the GPU at a time. A graphics card also draws the screen, between two
 * submissions: one that takes longer than a quarter of a second makes the machine stutter, and
 * systems end those that take seconds. Results do not depend on it.
 */

/** Goal for one submission, ms. */
export const LONGEST_SUBMISSION_MS = 250;
/** Below this, twice as many kernels would still be far from the goal. */
const SHORT_MS = LONGEST_SUBMISSION_MS / 4;
/** Enough to hide the cost of submitting; more would hold on to more buffers. */
const MOST_KERNELS = 64;
const FEWEST_KERNELS = 2;
/** Full submissions that have to be short before they become larger: kernels differ. */
const PATIENCE = 16;

/** Adapts the number of kernels in a submission to the time that submissions take. */
export class SubmissionPacer {
  kernels = MOST_KERNELS;
  /** ms, since the start or since `forget`. */
  longestMs = 0;
  private previousDone = 0;
  private shortOnes = 0;

  /**
   * @param kernels in the submission; it started when the one before it was done
   * @param submittedAt ms, @param doneAt ms, of one clock
   */
  done(kernels: number, submittedAt: number, doneAt: number): void {
    const ms = doneAt - Math.max(submittedAt, this.previousDone);
    this.previousDone = doneAt;
    if (kernels === 0) return;
    this.longestMs = Math.max(this.longestMs, ms);
    if (ms > LONGEST_SUBMISSION_MS) {
      // What was submitted before the last change says nothing about the present number.
      if (kernels <= this.kernels) this.kernels = Math.max(FEWEST_KERNELS, kernels >> 1);
      this.shortOnes = 0;
    } else if (kernels >= this.kernels) {
      this.shortOnes = ms < SHORT_MS ? this.shortOnes + 1 : 0;
      if (this.shortOnes < PATIENCE) return;
      this.kernels = Math.min(MOST_KERNELS, this.kernels * 2);
      this.shortOnes = 0;
    }
  }

  /** Starts the maximum anew, for a measurement. */
  forget(): void {
    this.longestMs = 0;
  }
}
