import type { Run } from '../core/domain';
import { checkpointManifest } from '../storage/checkpoints';
import { lastMetricStep } from '../storage/metrics';
import type { Database } from '../storage/schema';

/** The cuts of a run that is about to be resumed, this one added; nothing for one that was stopped. */
export async function cutsOf(db: Database, run: Run): Promise<Pick<Run, 'cuts'>> {
  if (run.status !== 'interrupted') return {};
  const from =
    run.checkpointId === null ? 0 : (await checkpointManifest(db, run.checkpointId)).step;
  const at = Math.max(run.step, await lastMetricStep(db, run.id));
  // Only a run that lost its device had the time to say why.
  const why = run.error === null ? 'closed' : 'device-lost';
  return { cuts: [...(run.cuts ?? []), { at, from, why }] };
}
