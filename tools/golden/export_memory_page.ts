/** Runs in the browser for export_memory.ts: a large model, and its export into a Blob. */
import type { ModelConfig, WeightMap } from '../../src/core/domain';
import { parameterShapes, PRESETS } from '../../src/core/presets';
import { huggingFaceZip } from '../../src/formats/hugging-face/export';
import { trainBpe } from '../../src/tokenizer/train-bpe';

const config: ModelConfig = {
  ...PRESETS.small,
  hidden_size: 1024,
  intermediate_size: 2752,
  num_hidden_layers: 5,
};
let weights: WeightMap = new Map();
let zip: Blob | null = null;

/** Makes the weights; returns their bytes. */
export function makeWeights(): number {
  weights = new Map(
    [...parameterShapes(config)].map(([name, shape]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      // Not zeros: untouched pages of zeros take no memory.
      return [name, { shape, data: Float32Array.from({ length: size }, (_, i) => i % 1000) }];
    }),
  );
  return [...weights.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
}

/** Exports as the page does; returns bytes and milliseconds. */
export async function exportBlob(): Promise<{ bytes: number; ms: number }> {
  const started = performance.now();
  const stream = huggingFaceZip({
    kind: 'policy',
    config,
    weights,
    tokenizer: trainBpe(['the goat'], { vocab_size: 261 }),
    temperature: 1,
    card: {
      projectName: 'memory',
      base: 'scratch',
      seed: 1,
      stages: [],
      demonstrations: 0,
      rankings: { people: 0, simulated: 0 },
      normalization: null,
    },
  });
  zip = await new Response(stream).blob();
  return { bytes: zip.size, ms: performance.now() - started };
}
