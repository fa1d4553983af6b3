/** PyTorch eager on the same GPU: rows beside ours. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { stepFlops } from './flops';
import { DECODE } from './parts/decoding';
import { STEP } from './parts/steps';
import { median } from './statistics';
import { ADAM, SIZES, type Row } from './work';

/** What torch_step.py answers. */
interface Answer {
  torch: string;
  device: string;
  step: { size: string; ms: number[]; loss: number }[];
  decode: { ms: number[] } | null;
}

/**
 * Rows with PyTorch's after the others of the same work: for each training step and decoding of ours
 * among them.
 * @param python a Python that has torch
 * @throws Error with what Python said
 */
export function withTorch(
  rows: readonly Row[],
  { python, rounds }: { python: string; rounds: number },
): Row[] {
  const ours = rows.filter(
    ({ name, impl, note }) =>
      impl === 'playground' &&
      (name === 'training step' || (name === 'decoding' && note === 'with cache')),
  );
  const steps = ours.filter(({ name }) => name === 'training step');
  const request = {
    rounds,
    optimizer: ADAM,
    step: steps.map(({ config }) => ({ ...STEP, size: config.size, config: SIZES[config.size!] })),
    decode: ours.some(({ name }) => name === 'decoding')
      ? { ...DECODE, config: SIZES[DECODE.size] }
      : null,
  };
  const { status, stdout, stderr, error } = spawnSync(
    python,
    [join(import.meta.dirname, 'torch_step.py')],
    { input: JSON.stringify(request), encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${python} torch_step.py: ${error?.message ?? stderr}`);
  const { torch, device, step, decode } = JSON.parse(stdout) as Answer;

  const rowOf = (reference: Row, times: number[]): Row => {
    const ms = median(times);
    const { tokens_per_s, ms: referenceMs } = reference;
    return {
      name: reference.name,
      impl: `PyTorch ${torch} eager, ${device}`,
      config: reference.config,
      ms,
      tokens_per_s: (tokens_per_s! * referenceMs) / ms,
      ratio: ms / referenceMs,
      fastest: Math.min(...times),
      slowest: Math.max(...times),
      rounds: times.length,
    };
  };
  const extra = new Map<Row, Row>();
  steps.forEach((reference, i) => {
    const row = rowOf(reference, step[i]!.ms);
    const { B, T } = STEP;
    const flops = stepFlops(SIZES[reference.config.size!], B, T);
    extra.set(reference, { ...row, loss: step[i]!.loss, gflops_per_s: flops / row.ms / 1e6 });
  });
  const decoded = ours.find(({ name }) => name === 'decoding');
  if (decoded !== undefined && decode !== null) extra.set(decoded, rowOf(decoded, decode.ms));
  return rows.flatMap((row) => [row, ...(extra.has(row) ? [extra.get(row)!] : [])]);
}
