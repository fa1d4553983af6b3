/**
 * Bare matrix products of a step's shapes on this adapter, and the share of that limit which a whole
 * training step reaches.
 */
import { linearProducts, stepFlops, weightedRate, type Product } from '../flops';
import { interleave, reason, repeated, type Timing } from '../measure';
import { describe, SIZES, type Contender, type Row, type Timed } from '../work';
import type { Part } from './compare';
import { STEP } from './steps';

interface Job {
  side: Contender;
  /** Null: the training step. */
  product: Product | null;
  work: Timed;
  /** Products in one run. */
  times: number;
}

/**
 * One row for each shape and side, then the limits and the step. The fastest product of any side makes
 * the limit. All of it is interleaved: a limit of another minute would be no limit.
 */
export async function rooflineRows(sides: readonly Contender[], rounds: number): Promise<Part> {
  const { size, B, T } = STEP;
  const products = linearProducts(SIZES[size]);
  const ours = sides[0]!;
  const jobs: Job[] = [];
  const problems: string[] = [];
  try {
    const step = await ours.trainingStep?.(STEP);
    if (step !== undefined) jobs.push({ side: ours, product: null, work: step, times: 1 });
    for (const product of products) {
      for (const side of sides) {
        try {
          const bare = await side.matmul?.({ N: B * T, K: product.K, M: product.M });
          if (bare === undefined) continue;
          const work = await repeated(bare);
          jobs.push({ side, product, work, times: work.times });
        } catch (thrown) {
          problems.push(`bare matmul, ${side.impl}: ${reason(thrown)}`);
        }
      }
    }
    const results = await interleave(
      jobs.map(({ work }) => work),
      rounds,
    );
    const done: (Job & Timing)[] = [];
    results.forEach((result, i) => {
      const job = jobs[i]!;
      if ('problem' in result) problems.push(`roofline, ${job.side.impl}: ${result.problem}`);
      else done.push({ ...job, ...result });
    });
    const measured = done.find(({ product }) => product === null);
    const shapes = products.map((product) => bareRows(done, product));
    const limits = measured === undefined ? [] : limitRows(products, shapes, measured);
    return { rows: [...shapes.flat(), ...limits], problems };
  } finally {
    for (const { work } of jobs) work.dispose();
  }
}

/** The rows of one shape, ours first. */
function bareRows(done: readonly (Job & Timing)[], product: Product): Row[] {
  const N = STEP.B * STEP.T;
  const { K, M, count } = product;
  const ofShape = done.filter((job) => job.product === product);
  return ofShape.map((job) => {
    const ms = job.ms / job.times;
    return {
      name: 'bare matmul',
      impl: job.side.impl,
      config: { N, K, M, count },
      ms,
      tokens_per_s: null,
      ratio: ms / (ofShape[0]!.ms / ofShape[0]!.times),
      fastest: job.fastest / job.times,
      slowest: job.slowest / job.times,
      rounds: job.rounds,
      gflops_per_s: (2 * N * K * M) / ms / 1e6,
    };
  });
}

function limitRows(products: Product[], shapes: Row[][], step: Job & Timing): Row[] {
  const { size, B, T } = STEP;
  const flops = stepFlops(SIZES[size], B, T);
  const config = { ...describe(size), B, T };
  const best = shapes.map((rows) => Math.max(...rows.map((row) => row.gflops_per_s!)));
  const limit = (note: string, rate: number): Row => {
    const ms = flops / rate / 1e6;
    return {
      name: 'roofline',
      impl: `limit: ${note}`,
      config,
      ms,
      tokens_per_s: (B * T * 1000) / ms,
      ratio: ms / step.ms,
      gflops_per_s: rate,
      share: ms / step.ms,
    };
  };
  return [
    limit('each product at the best bare rate of its shape', weightedRate(products, best)),
    limit('all products at the best bare rate of any shape', Math.max(...best)),
    {
      name: 'roofline',
      impl: `${step.side.impl}, training step`,
      config,
      ms: step.ms,
      tokens_per_s: (B * T * 1000) / step.ms,
      ratio: 1,
      fastest: step.fastest,
      slowest: step.slowest,
      rounds: step.rounds,
      gflops_per_s: flops / step.ms / 1e6,
    },
  ];
}
