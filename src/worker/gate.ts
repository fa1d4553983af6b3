/**
 * One user of the engine at a time: completions asked for during a run wait for the end of the
 * update in hand, so that neither sees the other's tensors.
 */
export class Gate {
  private last: Promise<unknown> = Promise.resolve();

  /** Runs `body` once everything that asked before has finished. */
  run<T>(body: () => Promise<T>): Promise<T> {
    const result = this.last.then(body);
    this.last = result.catch(() => undefined);
    return result;
  }
}
