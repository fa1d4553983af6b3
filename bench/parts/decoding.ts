/** Writing text: with a cache, and by running the whole forward pass again for each token. */
import { interleave, repeated } from '../measure';
import { describe, type Contender, type DecodeWork } from '../work';
import { compare, type Part } from './compare';

/** 64 sequences × 64 tokens, after prompts of 8 tokens. */
export const DECODE: DecodeWork = { size: 'main', B: 64, prompt: 8, tokens: 64 };

/** Lengths are padded to a multiple of this, as training batches are. */
const T_MULTIPLE = 8;

/** The padded length of each forward pass without a cache, and how many tokens need it. */
export function forwardLengths({ prompt, tokens }: DecodeWork): Map<number, number> {
  const counts = new Map<number, number>();
  for (let written = 0; written < tokens; written++) {
    const T = Math.ceil((prompt + written) / T_MULTIPLE) * T_MULTIPLE;
    counts.set(T, (counts.get(T) ?? 0) + 1);
  }
  return counts;
}

/** All sides with a cache, then ours without. */
export async function decodingRows(sides: readonly Contender[], rounds: number): Promise<Part> {
  const { size, B, prompt, tokens } = DECODE;
  const config = { ...describe(size), B, T: tokens, prompt };
  const cached = await compare(sides, {
    name: 'decoding',
    config,
    tokens: B * tokens,
    rounds,
    prepare: (side) => side.decoding?.(DECODE),
    more: () => ({ note: 'with cache' }),
  });
  const ours = sides[0]!;
  const reference = cached.rows[0];
  if (ours.forward === undefined || reference === undefined) return cached;

  // No sampling and no readback for each token: less work than a real loop would have.
  let ms = 0;
  for (const [T, count] of forwardLengths(DECODE)) {
    const side = await repeated(await ours.forward({ size, B, T }));
    const [timing] = await interleave([side], rounds);
    side.dispose();
    if ('problem' in timing!) {
      return {
        ...cached,
        problems: [...cached.problems, `decoding without cache: ${timing.problem}`],
      };
    }
    ms += (timing!.ms / side.times) * count;
  }
  const without = {
    name: 'decoding',
    impl: ours.impl,
    config,
    ms,
    tokens_per_s: (B * tokens * 1000) / ms,
    ratio: ms / reference.ms,
    rounds,
    note: 'without cache: a full forward pass for each token, timed at each padded length and summed',
  };
  return { ...cached, rows: [...cached.rows, without] };
}
