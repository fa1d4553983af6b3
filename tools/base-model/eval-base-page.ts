/** Runs in the browser for eval-base.ts: the engine of the page, on a shipped base model. */
import { RANKINGS_FIELDS, stageConfig } from '../../src/core/config';
import type { Demonstration } from '../../src/core/domain';
import { openEngine, type BackendName } from '../../src/engine/backend';
import { generate, type Generation } from '../../src/engine/generate';
import { Llama } from '../../src/engine/model';
import { evaluateLoss } from '../../src/rlhf/measures';
import { sampleCompletions } from '../../src/rlhf/sampling';
import { trainSft } from '../../src/rlhf/sft';
import { splitHeldOut } from '../../src/state/held-out';
import { openDatabase } from '../../src/storage/open';
import { ModelShelf, type Weights } from '../../src/worker/models';
import type { Answer } from './eval/acceptance';

let shipped: Weights | null = null;
let base: Llama | null = null;

/** Opens the engine; resolves to what computes. */
export async function open(backend: BackendName): Promise<string> {
  const { adapter } = await openEngine({ force: backend });
  return backend === 'webgpu' ? `WebGPU adapter "${adapter}"` : adapter;
}

/** Loads a shipped base as the page does, in place of the one before. */
export async function load(id: string): Promise<void> {
  base?.dispose();
  const shelf = new ModelShelf(await openDatabase(), `${location.origin}/`);
  shipped = await shelf.weights({ kind: 'shipped', id, runId: id }, 'policy');
  base = Llama.load(shipped.modelConfig, shipped.weights);
}

/** Mean loss in nats per token of whole documents; the first token of each is not scored. */
export function heldOutLoss(rows: number[][]): Promise<number> {
  return evaluateLoss(
    loaded().base,
    rows.map((input_ids) => ({ input_ids, promptLength: 1 })),
  );
}

/** Samples `from`, `from + 1`, … of a seed, at temperature 1, one for each start. */
export function sample(
  starts: number[][],
  from: number,
  options: { seed: number; max_new_tokens: number },
): Promise<Generation[]> {
  const { base, shipped } = loaded();
  return generate(base, starts, {
    ...options,
    temperature: 1,
    streams: starts.map((_, i) => from + i),
    eos_token_id: shipped.tokenizer.endId,
  });
}

/**
 * SFT with the default settings on demonstrations, as a new project with this seed runs it, then `n`
 * answers to each prompt at the defaults of the Rankings stage.
 */
export async function answersAfterSft(
  pairs: { prompt: string; completion: string }[],
  prompts: string[],
  { seed, n }: { seed: number; n: number },
): Promise<Answer[]> {
  const { modelConfig, weights, tokenizer } = loaded().shipped;
  const config = stageConfig('sft', {});
  const all = pairs.map((pair, seq): Demonstration => {
    return { ...pair, id: String(seq), projectId: '', heldOut: false, seq };
  });
  const demonstrations = splitHeldOut(all, { ratio: config.held_out_ratio, seed, beside: [] });
  const stage = trainSft(
    { modelConfig, weights, demonstrations, samplePrompts: [], seed },
    config,
    { tokenizer },
  );
  let event = await stage.next();
  while (!event.done) event = await stage.next();
  const model = Llama.load(modelConfig, event.value.weights);
  try {
    const written = await sampleCompletions(model, tokenizer, prompts, n, {
      temperature: RANKINGS_FIELDS.temperature.default,
      max_new_tokens: RANKINGS_FIELDS.max_new_tokens.default,
      seed,
    });
    return written.flatMap((completions, p) =>
      completions.map(({ text, tokens, finish }) => ({
        prompt: prompts[p]!,
        text,
        finish,
        templateTokens: tokens.some((id) => tokenizer.isSpecial(id) && id !== tokenizer.endId),
      })),
    );
  } finally {
    model.dispose();
  }
}

function loaded(): { shipped: Weights; base: Llama } {
  if (shipped === null || base === null) throw new Error('load() a model first');
  return { shipped, base };
}
