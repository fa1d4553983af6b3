/** Runs in the browser for preferences.ts: an SFT model of a shipped base, and the experiments on it. */
import { stageConfig } from '../../src/core/config';
import type { Demonstration } from '../../src/core/domain';
import type {
  ElectorateRecord,
  HarmDialRecord,
  HarmDialRequest,
  RightPairRecord,
  RightPairRequest,
} from '../../src/core/experiments';
import type { Labeler } from '../../src/core/people';
import { openEngine, type BackendName } from '../../src/engine/backend';
import { swapElectorate } from '../../src/rlhf/electorate';
import { writeAnswers, type ExperimentStart } from '../../src/rlhf/experiment-steps';
import { dialHarm } from '../../src/rlhf/harm-dial';
import { rightPairCurves } from '../../src/rlhf/right-pair';
import { simulatedRanking } from '../../src/rlhf/simulated-rankings';
import { trainSft } from '../../src/rlhf/sft';
import { splitHeldOut } from '../../src/state/held-out';
import { openDatabase } from '../../src/storage/open';
import { ModelShelf } from '../../src/worker/models';
import type { Measured, PreferenceTask, SimulatedGroup } from './result';

/** Completions of a set. */
const K = 4;
let start: (ExperimentStart & { prompts: string[] }) | null = null;
const reward = stageConfig('reward', {});
const ppo = stageConfig('ppo', {});

/** Opens the engine; resolves to the adapter's name. */
export async function open(backend: BackendName): Promise<string> {
  const opened = await openEngine({ force: backend });
  return `${opened.backend}, ${opened.adapter}`;
}

/** Demonstrations → the SFT model that the experiments start on. */
export async function sft(base: string, task: PreferenceTask): Promise<void> {
  const shelf = new ModelShelf(await openDatabase(), `${location.origin}/`);
  const shipped = await shelf.weights({ kind: 'shipped', id: base, runId: base }, 'policy');
  const { seed, prompts } = task;
  const config = stageConfig('sft', {});
  const all = task.demonstrations.map((pair, seq): Demonstration => {
    return { ...pair, id: String(seq), projectId: '', heldOut: false, seq };
  });
  const split = { ratio: config.held_out_ratio, seed, beside: [] };
  const demonstrations = splitHeldOut(all, split);
  const input = { ...shipped, demonstrations, samplePrompts: [], seed };
  const { weights } = await ended(trainSft(input, config, shipped));
  start = { ...shipped, weights, demonstrations, prompts, seed };
}

/** What the page's button does. */
export const harmDial = (request: HarmDialRequest): Promise<Measured<HarmDialRecord>> =>
  ended(dialHarm({ ...started(), reward, ppo }, request));

/** The same. */
export const rightPair = (request: RightPairRequest): Promise<Measured<RightPairRecord>> =>
  ended(rightPairCurves({ ...started(), reward, response_length: ppo.response_length }, request));

/** Groups of simulated labelers rank the same fresh sets; then the page's button. */
export async function electorate(
  groups: SimulatedGroup[],
  ppoIterations: number,
): Promise<Measured<ElectorateRecord>> {
  const input = started();
  const wanted = Math.max(...groups.map(({ rankings }) => rankings));
  const perPrompt = Math.ceil(wanted / input.prompts.length);
  const options = { temperature: 1, max_new_tokens: ppo.response_length, seed: input.seed };
  const answers = await ended(
    writeAnswers(input, input.prompts, perPrompt * K, options, () => ({
      done: 0,
      total: 0,
      doing: '',
    })),
  );
  const sets = Array.from({ length: answers.length / K }, (_, i) => {
    const some = answers.slice(i * K, (i + 1) * K);
    return {
      prompt: some[0]!.prompt,
      texts: some.map(({ completion: { text, finish } }) => ({ text, finish })),
    };
  });
  // every prompt once before any comes again, so that a group of few rankings has many prompts
  const order = sets.map(
    (_, i) => (i % input.prompts.length) * perPrompt + Math.floor(i / input.prompts.length),
  );
  const rankings = groups.flatMap(({ name, values, rankings }, g) =>
    order.slice(0, rankings).map((at, i) => ({
      ...simulatedRanking(values, sets[at]!, input.seed + g, i),
      labeler: name,
      seq: g * wanted + i,
    })),
  );
  const labelers = groups.map(({ name, values }): Labeler => ({
    code: name,
    groups: [name],
    consentedAt: null,
    simulated: values,
    dailyHarmLimit: null,
  }));
  return ended(swapElectorate({ ...input, rankings, labelers, reward, ppo }, ppoIterations));
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
