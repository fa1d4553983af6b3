/** What a kill can cost at most, ms of training (and the update in hand). */
const CHECKPOINT_MS = 15_000;
/**
 * Training stands still while a snapshot is read back. The next one waits at least this many times as
 * long, so that it costs at most 1 % of a run, whatever the model and the machine.
 */
const PAUSE_IN_STALLS = 100;

/** How long to wait for the next checkpoint when the last one stalled training for `stall` ms. */
export const checkpointPause = (stall: number): number =>
  Math.max(CHECKPOINT_MS, PAUSE_IN_STALLS * stall);
