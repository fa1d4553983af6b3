/** The shipped nano base and a bundled task, as the stages read them. */
import type {
  Demonstration,
  MetricRow,
  ModelConfig,
  Ranking,
  WeightMap,
} from '../../src/core/domain';
import { simulateRanking } from '../../src/core/simulated-labeler';
import { readSafetensors } from '../../src/formats/safetensors';
import type { StageEvent } from '../../src/rlhf/stage';
import type { Tokenizer } from '../../src/tokenizer/tokenizer';
import { fromTokenizerJson } from '../../src/tokenizer/tokenizer-json';

export interface Nano {
  modelConfig: ModelConfig;
  weights: WeightMap;
  tokenizer: Tokenizer;
}

export interface Task {
  demonstrations: { prompt: string; completion: string }[];
  prompts: string[];
}

export async function loadNano(): Promise<Nano> {
  const get = async (file: string) => {
    const response = await fetch(`/models/nano/${file}`);
    if (!response.ok) throw new Error(`${file}: HTTP ${response.status}`);
    return response;
  };
  const bytes = new Uint8Array(await (await get('model.safetensors')).arrayBuffer());
  return {
    modelConfig: (await (await get('config.json')).json()) as ModelConfig,
    weights: readSafetensors(bytes, 'model.safetensors'),
    tokenizer: fromTokenizerJson(await (await get('tokenizer.json')).json()),
  };
}

export async function loadTask(name: string): Promise<Task> {
  return (await (await fetch(`/demo/${name}.json`)).json()) as Task;
}

export function asDemonstrations(task: Task, count: number, heldOut: number): Demonstration[] {
  return task.demonstrations.slice(0, count).map((demonstration, seq) => ({
    ...demonstration,
    id: `d${seq}`,
    projectId: 'test',
    heldOut: seq < heldOut,
    seq,
  }));
}

/** Rankings of the bundled completions: polite ones first, by the noise-free simulated labeler. */
export function politeRankings(task: Task, count: number): Ranking[] {
  return Array.from({ length: count }, (_, seq) => {
    const completions = Array.from(
      { length: 4 },
      (_, i) => task.demonstrations[(seq * 5 + i * 7) % task.demonstrations.length]!.completion,
    );
    const prompt = task.prompts[seq % task.prompts.length]!;
    const { ranks, outcome } = simulateRanking({
      attribute: 'polite',
      prompt,
      completions: completions.map((text) => ({ text, finish: 'eos' as const })),
      seed: 1,
      noise: 0,
    });
    return {
      id: `r${seq}`,
      projectId: 'test',
      setId: null,
      prompt,
      completions,
      ranks,
      outcome,
      labeler: 'simulated:polite',
      simulated: true,
      flags: completions.map(() => []),
      order: [0, 1, 2, 3],
      seq,
    };
  });
}

/** Pulls a stage to its end, or `limit` events. */
export async function drain<T>(
  stage: AsyncGenerator<StageEvent, T>,
  limit = Infinity,
): Promise<{ rows: MetricRow[]; events: StageEvent[]; output: T | undefined }> {
  const rows: MetricRow[] = [];
  const events: StageEvent[] = [];
  for (;;) {
    const next = await stage.next();
    if (next.done) return { rows, events, output: next.value };
    rows.push(next.value.row);
    events.push(next.value);
    if (events.length >= limit) return { rows, events, output: undefined };
  }
}

/** Bit-for-bit equality of two sets of weights. */
export function sameWeights(a: WeightMap, b: WeightMap): boolean {
  if (a.size !== b.size) return false;
  return [...a].every(([name, { data }]) => {
    const other = b.get(name);
    return other !== undefined && data.every((x, i) => Object.is(x, other.data[i]));
  });
}
