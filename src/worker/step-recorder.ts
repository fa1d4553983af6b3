/** Gathers metric rows and samples of a run and stores them in batches. */
import type { Run } from '../core/domain';
import type { StageEvent } from '../rlhf/stage';
import { appendMetrics, type StepRecords } from '../storage/metrics';
import type { Database } from '../storage/schema';

/** At most this much of the chart is lost when the browser is killed, ms. */
const FLUSH_MS = 500;

export class StepRecorder {
  private readonly db: Database;
  private readonly run: Pick<Run, 'id' | 'projectId'>;
  private rows: { step: number; row: StageEvent['row'] }[] = [];
  private samples: { step: number; samples: NonNullable<StageEvent['samples']> }[] = [];
  private flushedAt = performance.now();
  private writing: Promise<void> | null = null;
  private failure: unknown = null;

  constructor(db: Database, run: Pick<Run, 'id' | 'projectId'>) {
    this.db = db;
    this.run = run;
  }

  /** Training goes on while a batch is stored. @throws what kept the last one from it */
  add({ step, row, samples }: StageEvent): void {
    if (this.failure !== null) throw this.failure as Error;
    this.rows.push({ step, row });
    if (samples !== undefined) this.samples.push({ step, samples });
    const due = performance.now() - this.flushedAt >= FLUSH_MS;
    if (due && this.writing === null)
      this.flush().catch((thrown: unknown) => (this.failure = thrown));
  }

  /** Resolves when everything is stored; what could not be is kept for the next time. */
  async flush(): Promise<void> {
    while (this.writing !== null) await this.writing.catch(() => {});
    const batch: StepRecords = { rows: this.rows, samples: this.samples };
    this.rows = [];
    this.samples = [];
    this.flushedAt = performance.now();
    this.writing = appendMetrics(this.db, this.run, batch);
    try {
      await this.writing;
      this.failure = null;
    } catch (thrown) {
      this.rows = [...batch.rows, ...this.rows];
      this.samples = [...batch.samples, ...this.samples];
      throw thrown;
    } finally {
      this.writing = null;
    }
  }
}
