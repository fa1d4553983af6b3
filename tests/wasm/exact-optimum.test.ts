/**
 * PPO on a language whose every answer can be listed: it has to come close to the exact optimum of
 * E[r] − β·KL, whatever the seed. On WebAssembly, where so small a model is fastest; the numbers of the
 * backends agree to 1e-6.
 */
import { expect, test } from 'vitest';
import { closeEngine, openEngine } from '../../src/engine/backend';
import { Llama } from '../../src/engine/model';
import {
  answerLogprobs,
  MICRO_CONFIG,
  microReference,
  microTokenizer,
} from '../../src/rlhf/micro-language';
import type { BanditRun } from './exact-optimum.worker';

const BETAS = [0.25, 0.35, 0.5];
const SEEDS = Array.from({ length: 10 }, (_, i) => i + 1);
const WORKERS = 2;

/** Gap closed by each run, in order; the workers take the next run as soon as they are free. */
async function runAll(runs: readonly BanditRun[]): Promise<number[]> {
  const closed: number[] = new Array<number>(runs.length).fill(NaN);
  let next = 0;
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('./exact-optimum.worker.ts', import.meta.url), {
      type: 'module',
    });
    try {
      while (next < runs.length) {
        const at = next++;
        closed[at] = await ask(worker, runs[at]!);
      }
    } finally {
      worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  return closed;
}

function ask(worker: Worker, run: BanditRun): Promise<number> {
  return new Promise((resolve, reject) => {
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.onmessage = ({ data }: MessageEvent<{ closed?: number; error?: string }>) =>
      data.closed === undefined ? reject(new Error(data.error)) : resolve(data.closed);
    worker.postMessage(run);
  });
}

test('all answers are listed: their probabilities add up to 1', async () => {
  await openEngine({ force: 'wasm' });
  const model = Llama.load(MICRO_CONFIG, microReference(1));
  const logprobs = await answerLogprobs(model, microTokenizer(), 'a');
  model.dispose();
  closeEngine();
  expect(logprobs.reduce((total, logprob) => total + Math.exp(logprob), 0)).toBeCloseTo(1, 5);
});

test(
  'PPO closes 95 percent of the gap to the optimum in 9 of 10 seeds, at each of three β',
  { timeout: 600_000 },
  async () => {
    const started = performance.now();
    const runs = BETAS.flatMap((kl_coef) => SEEDS.map((seed) => ({ kl_coef, seed })));
    const closed = await runAll(runs);
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    for (const [i, kl_coef] of BETAS.entries()) {
      const of = closed.slice(i * SEEDS.length, (i + 1) * SEEDS.length);
      const shown = `β = ${kl_coef}: ${of.map((share) => share.toFixed(3)).join(' ')}`;
      console.info(`gap closed at ${shown} (${seconds} s for all)`);
      expect(of.filter((share) => share >= 0.95).length, shown).toBeGreaterThanOrEqual(9);
    }
  },
);
