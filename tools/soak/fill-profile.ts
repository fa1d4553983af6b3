/**
 * Fills a database through the storage code of one release and hands over everything in it. Bundled
 * by freeze-profile.ts, which takes the storage code (but for the raw copy) from that release's tree.
 */
import { createProject, updateProject } from '../../src/storage/projects';
import { saveCheckpoint } from '../../src/storage/checkpoints';
import { demonstrations } from '../../src/storage/demonstrations';
import { appendMetrics } from '../../src/storage/metrics';
import { openDatabase } from '../../src/storage/open';
import { prompts } from '../../src/storage/prompts';
import { rankings } from '../../src/storage/rankings';
import { createRun, updateRun } from '../../src/storage/runs';
import { sets } from '../../src/storage/sets';
import type { Stage } from '../../src/core/domain';
import { PRESETS } from '../../src/core/presets';
import type { StageData } from '../../src/core/run-data';
import { rawCopy } from '../../src/storage/raw-copy';

declare global {
  interface Window {
    fill(): Promise<string>;
  }
}

const RUN = {
  config: { learning_rate: 1e-3, optimizer: 'adamw', packing: false },
  seed: 7,
  status: 'running' as const,
  step: 0,
  totalSteps: 3,
  inputHash: 'abc',
  parentId: 'nano',
  checkpointId: null,
  finalRow: null,
  error: null,
  rewardShift: 0,
  rewardScale: 1,
  startedAt: 1_700_000_000_000,
};

/** A project with something in every table, an ended run and one that was cut off. */
window.fill = async () => {
  const db = await openDatabase();
  const { id: projectId } = await createProject(db, { name: 'Ziegen 🐐', base: 'nano', seed: 7 });
  const shown = await demonstrations.append(db, projectId, [
    { prompt: 'Who has the rope?', completion: 'Tom has it.', heldOut: false },
    { prompt: 'lone \ud800', completion: '', heldOut: true },
  ]);
  const [prompt] = await prompts.append(db, projectId, [{ text: 'Where is the boat?' }]);
  const train = async (stage: Stage, data: StageData, ended: boolean): Promise<string> => {
    const run = await createRun(db, projectId, { ...RUN, stage }, data);
    const rows = [1, 2, 3].map((step) => ({ step, row: { step, loss: 1 / step } }));
    const sample = { prompt: 'Hi', text: 'Ho', tokens: ['Ho'], logprobs: [-0.5], refLogprobs: [] };
    const samples = [{ ...sample, score: null, kl: null, finish: 'eos' as const }];
    await appendMetrics(db, { id: run.id, projectId }, { rows, samples: [{ step: 1, samples }] });
    for (const step of [1, 2, 3]) {
      const weights = Float32Array.of(step, -0, 1e-45, 0.1);
      await saveCheckpoint(
        db,
        {
          projectId,
          runId: run.id,
          stage,
          step,
          modelConfig: PRESETS.nano,
          tensors: new Map([
            ['policy/model.norm.weight', { shape: [4], data: weights }],
            ['optimizer/m/model.norm.weight', { shape: [2, 2], data: weights.map((x) => x / 2) }],
          ]),
          state: { optimizer_step: step, nested: [null, 'x'] },
        },
        { step },
      );
    }
    if (ended) await updateRun(db, run.id, { status: 'done' }, { becomesModel: true });
    return run.id;
  };
  const start = { kind: 'shipped' as const, id: 'nano', runId: 'nano' };
  const runId = await train(
    'sft',
    { stage: 'sft', seed: 7, start, demonstrations: shown, samplePrompts: ['Hi'] },
    true,
  );
  const [set] = await sets.append(db, projectId, [
    {
      promptId: prompt!.id,
      prompt: 'Where is the boat?',
      completions: ['By the pier.', 'Go away.'].map((text) => ({
        text,
        tokens: [5, 2],
        logprobs: [-0, -1e-7],
        finish: 'eos' as const,
      })),
      order: [1, 0],
      sourceRunId: runId,
      temperature: 0.7,
      seed: 9,
    },
  ]);
  const ranked = await rankings.append(db, projectId, [
    {
      setId: set!.id,
      prompt: 'Where is the boat?',
      completions: ['By the pier.', 'Go away.'],
      ranks: [1, 2],
      outcome: 'ranked',
      labeler: 'Ada',
      simulated: false,
      flags: [[], ['insult']],
      order: [1, 0],
    },
  ]);
  const data = { seed: 7, start, demonstrations: shown, rankings: ranked };
  await train('reward', { stage: 'reward', ...data }, false);
  await updateProject(db, projectId, { page: 'ppo', settings: { sft: { learning_rate: 1e-3 } } });
  db.close();
  return (await rawCopy()).text();
};
