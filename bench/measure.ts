/** Timing of several sides in turn. */
import { median } from './statistics';
import type { Repeatable, Timed } from './work';

export interface Timing {
  /** Median. */
  ms: number;
  fastest: number;
  slowest: number;
  rounds: number;
  /** What the very first run gave. */
  first: number | undefined;
}

/** A side that could not do the work, and why. */
export interface Failed {
  problem: string;
}

/** A run as long as this is slow: it gets fewer rounds and one warming up. */
const SLOW_MS = 5000;
const SLOW_ROUNDS = 3;
const WARM_UPS = 2;
/** Short work is repeated until a run takes about so long. */
const REPEAT_MS = 150;

export const reason = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown);

/**
 * Times the sides in turn, so that what else the machine does falls on all alike. Runs that warm up
 * (compilation, first allocation) are not counted. A side that throws is left out from then on.
 */
export async function interleave(
  sides: readonly Timed[],
  rounds: number,
): Promise<(Timing | Failed)[]> {
  const states = sides.map((side) => ({
    side,
    times: [] as number[],
    wanted: rounds,
    first: undefined as number | undefined,
    problem: null as string | null,
  }));
  const once = async (state: (typeof states)[number]): Promise<number> => {
    const start = performance.now();
    try {
      const value = await state.side.run();
      state.first ??= value;
    } catch (thrown) {
      state.problem = reason(thrown);
    }
    return performance.now() - start;
  };
  for (let i = 0; i < WARM_UPS; i++) {
    for (const state of states) {
      if (state.problem !== null || state.side.warm) continue;
      const ms = await once(state);
      // The first run compiles; a second one that is slow as well tells the speed.
      if (ms > SLOW_MS && i > 0) state.wanted = SLOW_ROUNDS;
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const state of states) {
      if (state.problem !== null || round >= state.wanted) continue;
      const ms = await once(state);
      if (state.problem === null) state.times.push(ms);
    }
  }
  return states.map(({ times, problem, first }) =>
    problem !== null
      ? { problem }
      : {
          ms: median(times),
          fastest: Math.min(...times),
          slowest: Math.max(...times),
          rounds: times.length,
          first,
        },
  );
}

/** The same as a side of which each run takes long enough to be timed; `times` repetitions in each. */
export async function repeated(work: Repeatable): Promise<Timed & { times: number }> {
  await work.repeat(1);
  let times = 1;
  for (;;) {
    const start = performance.now();
    await work.repeat(times);
    const ms = performance.now() - start;
    if (ms >= REPEAT_MS / 2) break;
    times = Math.ceil(times * Math.min(8, REPEAT_MS / Math.max(ms, 1)));
  }
  return {
    times,
    warm: true,
    run: async () => {
      await work.repeat(times);
      return undefined;
    },
    dispose: () => work.dispose(),
  };
}
