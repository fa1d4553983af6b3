/**
 * Play, pause, step and stop. The loop asks before each update whether to take it; a command
 * resolves once the loop has come to rest in the state that was asked for.
 */
export class Transport {
  private wanted: 'play' | 'pause' | 'stop' | 'leave' = 'play';
  private steps = 0;
  private wake: (() => void) | null = null;
  private resting: (() => void)[] = [];

  get pausing(): boolean {
    return this.wanted === 'pause' && this.steps === 0;
  }

  get stopping(): boolean {
    return this.wanted === 'stop';
  }

  /** The run is to end here and to be resumed elsewhere. */
  get leaving(): boolean {
    return this.wanted === 'leave';
  }

  /** Resolves when the update in hand is finished and stored. */
  pause(): Promise<void> {
    if (this.wanted === 'play') this.wanted = 'pause';
    return this.rest();
  }

  play(): void {
    if (this.wanted === 'pause') this.wanted = 'play';
    this.notify();
  }

  /** Takes one update, then rests again. */
  step(): Promise<void> {
    if (this.wanted === 'play') this.wanted = 'pause';
    this.steps++;
    this.notify();
    return this.rest();
  }

  /** Resolves when the run has ended. */
  stop(): Promise<void> {
    this.wanted = 'stop';
    this.notify();
    return this.rest();
  }

  /** Resolves when the run has ended, to be resumed. */
  leave(): Promise<void> {
    this.wanted = 'leave';
    this.notify();
    return this.rest();
  }

  /** The loop has taken an update. */
  taken(): void {
    if (this.steps > 0) this.steps--;
  }

  /** The loop rests: those who waited go on, and it sleeps until it is wanted. */
  async sleep(): Promise<void> {
    this.release();
    if (!this.pausing) return;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
  }

  /** The run has ended, or rests: whoever waits is answered. */
  release(): void {
    const waiting = this.resting;
    this.resting = [];
    for (const resolve of waiting) resolve();
  }

  private rest(): Promise<void> {
    return new Promise((resolve) => {
      this.resting.push(resolve);
      // Asked to pause while paused: the loop must wake to answer.
      if (this.wake !== null) this.notify();
    });
  }

  private notify(): void {
    this.wake?.();
    this.wake = null;
  }
}
