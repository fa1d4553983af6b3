/** The lesson on the micro-language as a command: one at a time, never beside a run. */
import type { LessonRequest } from '../core/lesson';
import { microLesson } from '../rlhf/lesson';
import type { Gate } from './gate';
import type { EventBody } from './run-loop';

export class Lesson {
  private stopping = false;
  private running: Promise<void> | null = null;
  private readonly emit: (event: EventBody) => void;

  constructor(emit: (event: EventBody) => void) {
    this.emit = emit;
  }

  get isRunning(): boolean {
    return this.running !== null;
  }

  /** Resolves when the lesson has ended, by itself or by `stop`. The caller knows that none is under way. */
  async run(request: LessonRequest, gate: Gate): Promise<void> {
    this.stopping = false;
    this.running = this.drive(request, gate);
    try {
      await this.running;
    } finally {
      this.running = null;
    }
  }

  async stop(): Promise<void> {
    this.stopping = true;
    // How it ended is told to whoever started it.
    await this.running?.catch(() => undefined);
  }

  private async drive(request: LessonRequest, gate: Gate): Promise<void> {
    const steps = microLesson(request);
    try {
      for (;;) {
        const next = await gate.run(() => steps.next());
        if (next.done === true) return;
        const { value } = next;
        if (value.kind === 'start') this.emit({ kind: 'lesson', start: value.start });
        else this.emit({ kind: 'lesson-point', point: value.point });
        if (this.stopping) return;
      }
    } finally {
      await gate.run(() => steps.return(undefined));
    }
  }
}
