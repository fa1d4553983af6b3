/**
 * The start-up check: tries the variants of every kernel family on this machine, against
 * TensorFlow.js's plain JavaScript backend, and takes the fastest that is right.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { FamilyResult, KernelFamily, Variant } from '../core/device-report';
import { PlaygroundError } from '../core/errors';
import { fastestCorrect, type Measured } from '../core/variant-choice';
import type { OpenedEngine } from './backend';
import { standardWork, type FamilyWork, type Work } from './check-work';
import { compileAhead, finishRecorded } from './dispatch';
import { throwFailure } from './failure';
import { chooseVariant } from './variants';

export interface Candidate {
  variant: Variant;
  /** What it does instead of the family's own work: tests plant wrong and slow ones here. */
  instead?: (work: Work) => Work;
  /** Why it is not tried, if it is not. */
  untried?: string;
}

export interface FamilyPlan extends FamilyWork {
  candidates: Candidate[];
}

/**
 * f32 sums in another order are off by 1e-6 of the largest number, and exp of a graphics card by
 * about as much. A wrong kernel is off by far more.
 */
const TOLERANCE = 1e-4;
/** A pass that is over in less says nothing of the device: the larger size is timed, ms. */
const OVER_AT_ONCE_MS = 2;
/** What one measurement should take, so that the clock and the wait for the device do not count, ms. */
const MEASUREMENT_MS = 8;
/** … as a multiple of that wait. */
const WAITS = 4;
const MOST_REPETITIONS = 200;
const MOST_ROUNDS = 3;
/** A variant that needed so many times as long as another is not timed again. */
const OUT_OF_THE_RUNNING = 3;
/** Rounds of measurements of one family begin within this time, ms. */
const FAMILY_BUDGET_MS = 60;

/** Families whose kernels bring rows to a few numbers: the others have no sums for subgroups. */
const WITH_SUBGROUPS: readonly KernelFamily[] = [
  'rms-norm',
  'decode-attention',
  'token-logprob',
  'sample',
];

/**
 * All variants of all families that the device can have.
 * @param engine.isSoftware the adapter is a program. Its compiler takes seconds for kernels with
 *   barriers (2.4 s for three on SwiftShader), which then run ten times slower than those without:
 *   nobody should wait for that at every first start.
 */
export function standardPlan(engine: Pick<OpenedEngine, 'isSoftware' | 'features'>): FamilyPlan[] {
  const { isSoftware, features } = engine;
  const subgroups = features.some(({ name, enabled }) => name === 'subgroups' && enabled);
  const untried = 'slow to compile and to run where a program plays the GPU';
  const together = (variant: Variant): Candidate =>
    isSoftware ? { variant, untried } : { variant };
  return standardWork({ fewPrograms: isSoftware }).map((work) => {
    const candidates: Candidate[] = [{ variant: 'registers' }, together('shared')];
    if (subgroups && WITH_SUBGROUPS.includes(work.family)) candidates.push(together('subgroups'));
    return { ...work, candidates };
  });
}

/**
 * Tries all candidates and switches each family to the one that was chosen. WebGPU only; nothing
 * else may use the engine meanwhile.
 * @throws PlaygroundError 'device-lost'
 */
export async function checkFamilies(plans: FamilyPlan[]): Promise<FamilyResult[]> {
  const broken = await compileAll(plans);
  const waitMs = await waitForDevice();
  const results: FamilyResult[] = [];
  for (const plan of plans) {
    const result = await checkFamily(plan, broken, waitMs);
    chooseVariant(plan.family, result.chosen);
    results.push(result);
  }
  return results;
}

/**
 * Whether the variants that an earlier check chose still give the right numbers; switches to them.
 * Small sizes only.
 * @throws PlaygroundError 'device-lost'
 */
export async function stillCorrect(plans: FamilyPlan[], earlier: FamilyResult[]): Promise<boolean> {
  const chosen = plans.map(({ family, candidates, edges, timed }) => {
    const variant = earlier.find((result) => result.family === family)?.chosen;
    const tried = candidates.filter((candidate) => candidate.variant === variant);
    return {
      family,
      variant,
      edges,
      timed,
      candidates: tried.map(({ untried: _, ...rest }) => rest),
    };
  });
  const broken = await compileAll(chosen);
  for (const { family, variant, edges, candidates } of chosen) {
    const candidate = candidates[0];
    // Unknown then, or not to be had now.
    if (variant === undefined || (candidate === undefined && variant !== 'reference')) return false;
    chooseVariant(family, variant);
    if (candidate === undefined) continue; // the reference is not measured against itself
    const { problem } = await judge(candidate, edges, await trusted(edges), broken);
    if (problem !== null) return false;
  }
  return true;
}

/**
 * Compiles the kernels of all candidates at the same time.
 * @returns the candidates that do not compile, and why
 */
async function compileAll(plans: FamilyPlan[]): Promise<Map<Candidate, string>> {
  const broken = new Map<Candidate, string>();
  const compiling = plans.flatMap(({ family, edges, timed, candidates }) =>
    candidates
      .filter(({ untried }) => untried === undefined)
      .map(async (candidate) => {
        chooseVariant(family, candidate.variant);
        const works = [...edges, ...timed].map((work) => candidate.instead?.(work) ?? work);
        try {
          await compileAhead(() => {
            for (const work of works) {
              work.record();
              work.dispose();
            }
          });
        } catch (thrown) {
          broken.set(candidate, reasonOf(thrown));
        }
      }),
  );
  await Promise.all(compiling);
  return broken;
}

interface Judged extends Measured {
  candidate: Candidate;
}

async function checkFamily(
  plan: FamilyPlan,
  broken: Map<Candidate, string>,
  waitMs: number,
): Promise<FamilyResult> {
  const { family, edges, timed, candidates } = plan;
  const works = [...edges, timed[0]];
  const expected = await trusted(works);
  const judged: Judged[] = [];
  for (const candidate of candidates) {
    chooseVariant(family, candidate.variant);
    judged.push(await judge(candidate, works, expected, broken));
  }
  const correct = judged.filter(({ problem }) => problem === null);
  const timedWork = await timeAll(plan, correct, waitMs);
  return { family, timedAt: timedWork.name, ...fastestCorrect(judged) };
}

/** The outcomes that every variant has to reproduce. */
async function trusted(works: Work[]): Promise<Float32Array[][]> {
  const backend = tf.getBackend();
  await tf.setBackend('cpu');
  try {
    const outcomes: Float32Array[][] = [];
    for (const work of works) outcomes.push(await work.run());
    return outcomes;
  } finally {
    await tf.setBackend(backend);
  }
}

async function judge(
  candidate: Candidate,
  works: Work[],
  expected: Float32Array[][],
  broken: Map<Candidate, string>,
): Promise<Judged> {
  const { variant, instead, untried } = candidate;
  const verdict = (problem: Measured['problem'], maxError: number | null = null): Judged => ({
    candidate,
    variant,
    maxError,
    ms: null,
    problem,
  });
  if (untried !== undefined) return verdict({ kind: 'untried', reason: untried });
  const reason = broken.get(candidate);
  if (reason !== undefined) return verdict({ kind: 'failed', reason });
  let maxError = 0;
  try {
    for (const [i, work] of works.entries()) {
      const outcome = await (instead?.(work) ?? work).run();
      throwFailure(); // what a refused kernel should have written reads as zeros
      const error = work.difference(outcome, expected[i]!);
      if (!Number.isFinite(error)) {
        return verdict({
          kind: 'wrong',
          reason: `gave something that is no number at ${work.name}`,
        });
      }
      maxError = Math.max(maxError, error);
      if (error > TOLERANCE) {
        const share = `${error.toPrecision(2)} of the largest number`;
        return verdict({ kind: 'wrong', reason: `off by ${share} at ${work.name}` }, maxError);
      }
    }
    return verdict(null, maxError);
  } catch (thrown) {
    return verdict({ kind: 'failed', reason: await failed(thrown) });
  }
}

/**
 * What a candidate failed of. Lets what the GPU still has to say about it pass, so that it does not
 * fall on the next one.
 * @throws PlaygroundError 'device-lost'
 */
async function failed(thrown: unknown): Promise<string> {
  const lost = (error: unknown): boolean =>
    error instanceof PlaygroundError && error.code === 'device-lost';
  if (lost(thrown)) throw thrown;
  try {
    await finishRecorded();
    throwFailure();
  } catch (later) {
    if (lost(later)) throw later;
  }
  return reasonOf(thrown);
}

const reasonOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown);

/** ms that pass before the device answers, with nothing to do. */
async function waitForDevice(): Promise<number> {
  let shortest = Infinity;
  for (let i = 0; i < 3; i++) {
    const begun = performance.now();
    await finishRecorded();
    shortest = Math.min(shortest, performance.now() - begun);
  }
  return shortest;
}

/**
 * Sets `ms` of each; returns the work that was timed. Candidates take turns, so that a machine that
 * slows down slows all of them.
 */
async function timeAll(plan: FamilyPlan, judged: Judged[], waitMs: number): Promise<Work> {
  const { family, timed } = plan;
  const time = async (one: Judged, work: Work, times: number): Promise<number> => {
    const { variant, instead } = one.candidate;
    chooseVariant(family, variant);
    const own = instead?.(work) ?? work;
    try {
      const begun = performance.now();
      for (let i = 0; i < times; i++) own.record();
      await finishRecorded();
      const ms = performance.now() - begun - waitMs;
      throwFailure();
      return Math.max(0, ms) / times;
    } catch (thrown) {
      one.problem = { kind: 'failed', reason: await failed(thrown) };
      return Infinity;
    } finally {
      if (own !== work) own.dispose();
    }
  };
  const timeEach = async (work: Work): Promise<number[]> => {
    const all: number[] = [];
    for (const one of judged) all.push(await time(one, work, 1));
    return all;
  };
  const [small, large] = timed;
  try {
    let first = await timeEach(small);
    const work = Math.min(...first) < OVER_AT_ONCE_MS ? large : small;
    if (work === large) first = await timeEach(large);
    const goal = Math.max(MEASUREMENT_MS, WAITS * waitMs);
    const begun = performance.now();
    for (let round = 0; round < MOST_ROUNDS; round++) {
      for (const [i, one] of judged.entries()) {
        if (one.problem !== null) continue;
        if (first[i]! > Math.min(...first) * OUT_OF_THE_RUNNING) {
          one.ms = first[i]!;
          continue;
        }
        const repetitions = Math.ceil(goal / Math.max(one.ms ?? first[i]!, 1e-3));
        const ms = await time(one, work, Math.min(MOST_REPETITIONS, repetitions));
        one.ms = Number.isFinite(ms) ? Math.min(one.ms ?? ms, ms) : null;
      }
      if (performance.now() - begun > FAMILY_BUDGET_MS) break;
    }
    return work;
  } finally {
    small.dispose();
    large.dispose();
  }
}
