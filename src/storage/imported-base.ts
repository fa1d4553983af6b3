/**
 * A base model from elsewhere. It is stored as a pretraining run of the project that is already done:
 * checkpoints, export, copies and the choice of a base need to know nothing else of it.
 */
import { IMPORTED } from '../core/stage-models';
import type { CheckpointManifest, HostTensor, ModelConfig, Run } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import { incompleteManifests, keptRemoving } from './checkpoints';
import { chunkTensors, putChunks } from './chunks';
import { nextSeq } from './project-table';
import type { Database, TableName } from './schema';
import { write } from './transaction';
import { requireWriter } from './writer';

export interface ImportedBase {
  projectId: string;
  seed: number;
  /** What people call it: the name of its folder. */
  name: string;
  modelConfig: ModelConfig;
  /** The tokenizer as JSON. */
  tokenizer: unknown;
  /** The parameters by Hugging Face name, one at a time; asked for again when storing is repeated. */
  tensors: () => AsyncIterable<[name: string, tensor: HostTensor]>;
}

/** Another tab's sweep can remove chunks once for each tab that is opened. */
const STORE_ATTEMPTS = 3;

/**
 * Stores a base model, one tensor in memory at a time, and puts its project on it. All or nothing:
 * chunks mean nothing until the one transaction that stores run, checkpoint and project.
 * @throws PlaygroundError `non-finite` naming a tensor; `storage`; `not-found` when the project is gone
 */
export async function saveImportedBase(db: Database, base: ImportedBase): Promise<Run> {
  for (let attempt = 0; attempt < STORE_ATTEMPTS; attempt++) {
    const tensors: CheckpointManifest['tensors'] = [];
    let bytes = 0;
    for await (const [name, tensor] of base.tensors()) {
      const chunked = await chunkTensors(new Map([[`policy/${name}`, tensor]]));
      await putChunks(db, chunked.chunks);
      tensors.push(...chunked.tensors);
      bytes += chunked.bytes;
    }
    const run = await storeRecords(db, base, tensors, bytes);
    if (run !== null) return run;
  }
  throw keptRemoving();
}

/** Null when chunks have gone missing meanwhile. */
function storeRecords(
  db: Database,
  base: ImportedBase,
  tensors: CheckpointManifest['tensors'],
  bytes: number,
): Promise<Run | null> {
  const { projectId, seed, name, modelConfig, tokenizer } = base;
  const tables: TableName[] = ['projects', 'runs', 'checkpoints', 'chunks'];
  return write(db, tables, 'the base model', async (tx) => {
    const project = await requireWriter(tx, projectId);
    if (project === undefined) {
      throw new PlaygroundError({
        code: 'not-found',
        message: 'The project was deleted while the base model was being stored.',
      });
    }
    const runId = crypto.randomUUID();
    const { hidden_size, num_hidden_layers } = modelConfig;
    const manifest: CheckpointManifest = {
      id: crypto.randomUUID(),
      projectId,
      runId,
      stage: 'pretrain',
      step: 0,
      modelConfig,
      tensors,
      state: { tokenizer },
      bytes,
      seq: 1,
    };
    if ((await incompleteManifests(tx, [manifest])).length > 0) return null;
    const run: Run = {
      id: runId,
      projectId,
      stage: 'pretrain',
      config: { [IMPORTED]: name, hidden_size, num_hidden_layers },
      seed,
      status: 'done',
      step: 0,
      totalSteps: 0,
      inputHash: '',
      parentId: null,
      checkpointId: manifest.id,
      finalRow: null,
      error: null,
      rewardShift: 0,
      rewardScale: 1,
      seq: await nextSeq(tx, 'runs', projectId),
      startedAt: Date.now(),
    };
    await tx.objectStore('checkpoints').put(manifest);
    await tx.objectStore('runs').put(run);
    await tx.objectStore('projects').put({ ...project, runs: { ...project.runs, base: runId } });
    return run;
  });
}
