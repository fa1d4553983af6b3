import type { Finding } from '../../core/diagnosis-finding';

/**
 * What a screen reader is told of a run while it goes on: each alarm once, when it first comes up.
 * What was there when the run came into view is read where it stands.
 */
export class AlarmNews {
  #runId: string | null = null;
  #known: readonly string[] = [];

  /** The sentence to say, or null when nothing is new. */
  tell(runId: string | null, findings: readonly Finding[]): string | null {
    const alarms = findings.filter(({ severity }) => severity === 'alarm');
    const before = runId === this.#runId ? this.#known : null;
    const fresh = alarms.filter(({ id }) => before?.includes(id) === false);
    this.#runId = runId;
    this.#known = [...(before ?? []), ...alarms.map(({ id }) => id)];
    return fresh.length === 0 ? null : `Alarm: ${fresh.map(({ title }) => title).join('; ')}.`;
  }
}
