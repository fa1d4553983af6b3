/**
 * Long work in short pieces: a generator yields wherever it may be interrupted, and whoever drives it
 * decides how long it works before the page gets its turn.
 */

/** Work that may be interrupted at every `yield`. */
export type Sliced<T> = Generator<undefined, T>;

/** Well under the 50 ms after which a person notices: other work falls into the same frame. */
const SLICE_MS = 8;

/** All at once. */
export function atOnce<T>(work: Sliced<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

/**
 * In slices of some ms, with time for the page in between.
 * @param stillWanted asked after each slice; what nobody waits for is left
 * @returns null when it was left
 */
export async function inSlices<T>(work: Sliced<T>): Promise<T>;
export async function inSlices<T>(work: Sliced<T>, stillWanted: () => boolean): Promise<T | null>;
export async function inSlices<T>(
  work: Sliced<T>,
  stillWanted: () => boolean = () => true,
): Promise<T | null> {
  for (;;) {
    const end = performance.now() + SLICE_MS;
    do {
      const step = work.next();
      if (step.done === true) return step.value;
    } while (performance.now() < end);
    await breath();
    if (!stillWanted()) return null;
  }
}

/** A turn of the event loop; `setTimeout` alone would wait 4 ms each time. */
function breath(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
