/** Which phase of a PPO iteration runs now, and what each has cost. */

export type Phase =
  | 'rollout'
  | 'policy forward'
  | 'reference forward'
  | 'value forward'
  | 'reward scoring'
  | 'policy update'
  | 'value update';

/** What runs between the phases: advantages, batches, metrics, on the host. */
export const BETWEEN = 'between phases';

/** What a phase has cost since the clock was cleared. */
export interface Cost {
  /** Wall time, ms. */
  ms: number;
  /** How often it ran. */
  runs: number;
}

let current: Phase | typeof BETWEEN = BETWEEN;
const costs = new Map<Phase, Cost>();

export const currentPhase = (): Phase | typeof BETWEEN => current;

/** Runs a phase. Phases follow each other; one inside another would be counted twice. */
export async function inPhase<T>(phase: Phase, run: () => Promise<T>): Promise<T> {
  if (current !== BETWEEN) throw new Error(`${phase} runs inside ${current}`);
  current = phase;
  const start = performance.now();
  try {
    return await run();
  } finally {
    const cost = costs.get(phase) ?? { ms: 0, runs: 0 };
    costs.set(phase, { ms: cost.ms + performance.now() - start, runs: cost.runs + 1 });
    current = BETWEEN;
  }
}

/** Takes what has been counted, and starts again from nothing. */
export function takeCosts(): Map<Phase, Cost> {
  const taken = new Map(costs);
  costs.clear();
  return taken;
}

/** The policy of this run, told by `generate`: other language models are the reference. */
let policy: object | null = null;

export function setPolicy(model: object): void {
  policy = model;
}

export const isPolicy = (model: object): boolean => model === policy;

/** The model of an AdamW is known by its parameters: a value model has a score head. */
export const updatePhase = (parameters: ReadonlyMap<string, unknown>): Phase =>
  parameters.has('score.weight') ? 'value update' : 'policy update';
