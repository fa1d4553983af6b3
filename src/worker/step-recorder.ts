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

  constructor(db: Database, run: Pick<Run, 'id' | 'projectId'>) {
    this.db = db;
    this.run = run;
  }

  async add({ step, row, samples }: StageEvent): Promise<void> {
    this.rows.push({ step, row });
    if (samples !== undefined) this.samples.push({ step, samples });
    if (performance.now() - this.flushedAt >= FLUSH_MS) await this.flush();
  }

  async flush(): Promise<void> {
    const batch: StepRecords = { rows: this.rows, samples: this.samples };
    this.rows = [];
    this.samples = [];
    this.flushedAt = performance.now();
    await appendMetrics(this.db, this.run, batch);
  }
}
