/** What a kill can cost at most, ms of training (and the update in hand). */
const CHECKPOINT_MS = 15_000;
/**
 * Training stands still while a snapshot is read back, and shares the machine while it is stored. The
 * next one waits this many times as long, so that both cost at most 2 % of a run, whatever the model and
 * the machine.
 */
const PAUSE_IN_CHECKPOINTS = 50;

/** How long to wait for the next checkpoint when the last one took `took` ms until it was stored. */
export const checkpointPause = (took: number): number =>
  Math.max(CHECKPOINT_MS, PAUSE_IN_CHECKPOINTS * took);
