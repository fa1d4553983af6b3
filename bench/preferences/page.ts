/** Runs in the browser for preferences.ts: an SFT model of a shipped base, and the experiments on it. */
import { stageConfig } from '../../src/core/config';
import type { Demonstration, Ranking } from '../../src/core/domain';
import type { ElectorateRecord, HarmDialRecord, RightPairRecord } from '../../src/core/experiments';
import type { Labeler, SimulatedValues } from '../../src/core/people';
import { openEngine, type BackendName } from '../../src/engine/backend';
import { swapElectorate } from '../../src/rlhf/electorate';
import {
  writeAnswers,
  type ExperimentStart,
  type ExperimentSteps,
} from '../../src/rlhf/experiment-steps';
import { dialHarm } from '../../src/rlhf/harm-dial';
import { simulatedRanking } from '../../src/rlhf/simulated-rankings';
import { trainSft } from '../../src/rlhf/sft';
import { splitHeldOut } from '../../src/state/held-out';
import { openDatabase } from '../../src/storage/open';
import { ModelShelf } from '../../src/worker/models';
import type { PreferenceTask } from './result';

let start: (ExperimentStart & { prompts: string[] }) | null = null;

/** Opens the engine; resolves to the adapter's name. */
export async function open(backend: BackendName): Promise<string> {
  const opened = await openEngine({ force: backend });
  return `${opened.backend}, ${opened.adapter}`;
}

/** Demonstrations → the SFT model that the experiments start on. */
export async function sft(base: string, task: PreferenceTask): Promise<void> {
  const shelf = new ModelShelf(await openDatabase(), `${location.origin}/`);
  const shipped = await shelf.weights({ kind: 'shipped', id: base, runId: base }, 'policy');
  const config = stageConfig('sft', {});
  const all = task.demonstrations.map((pair, seq): Demonstration => {
    return { ...pair, id: String(seq), projectId: '', heldOut: false, seq };
  });
  const demonstrations = splitHeldOut(all, {
    ratio: config.held_out_ratio,
    seed: task.seed,
    beside: [],
  });
  const input = { ...shipped, demonstrations, samplePrompts: [], seed: task.seed };
  const { weights } = await ended(trainSft(input, config, shipped));
  start = { ...shipped, weights, demonstrations, prompts: task.prompts, seed: task.seed };
}

/** What the page's button does, for one seed. */
export function harmDial(
  values: SimulatedValues,
  comparisons: number,
  ppoIterations: number,
): Promise<Omit<HarmDialRecord, 'inputHash'>> {
  return ended(
    dialHarm(
      { ...started(), reward: stageConfig('reward', {}), ppo: stageConfig('ppo', {}) },
      { values, comparisons, ppoIterations, seeds: 1 },
    ),
  );
}

function started() {
  if (start === null) throw new Error('train the SFT model first');
  return start;
}

async function ended<T>(steps: AsyncGenerator<unknown, T>): Promise<T> {
  for (;;) {
    const next = await steps.next();
    if (next.done === true) return next.value;
  }
}
