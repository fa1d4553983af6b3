/** The lesson with a known optimum: what was asked and what came so far. Nothing of it is stored. */
import type { LessonPoint, LessonRequest, LessonStart } from '../core/lesson';
import type { WorkerEvent } from '../worker/protocol';
import type { WorkerLink } from './ports';

export class LessonState {
  start: LessonStart | null = $state.raw(null);
  points: readonly LessonPoint[] = $state.raw([]);
  running = $state(false);
  readonly #ready: () => Promise<WorkerLink>;

  /** @param ready the worker, once its engine is open */
  constructor(ready: () => Promise<WorkerLink>) {
    this.#ready = ready;
  }

  /**
   * Resolves when the lesson has ended.
   * @throws PlaygroundError `busy` while a run is under way; `engine`
   */
  async run(request: LessonRequest): Promise<void> {
    if (this.running) return;
    this.running = true;
    this.start = null;
    this.points = [];
    try {
      await (await this.#ready()).call('lesson', request);
    } finally {
      this.running = false;
    }
  }

  async stop(): Promise<void> {
    if (this.running) await (await this.#ready()).call('stopLesson', {});
  }

  handle(event: Extract<WorkerEvent, { kind: 'lesson' | 'lesson-point' }>): void {
    if (event.kind === 'lesson') this.start = event.start;
    else this.points = [...this.points, event.point];
  }
}
