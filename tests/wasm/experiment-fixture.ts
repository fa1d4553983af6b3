/** nano after a short SFT, its simulated labelers and their rankings, as the experiments take them. */
import { afterAll, beforeAll } from 'vitest';
import { stageConfig } from '../../src/core/config';
import type { Ranking } from '../../src/core/domain';
import type { SimulatedValues } from '../../src/core/people';
import { closeEngine, openEngine } from '../../src/engine/backend';
import type { ExperimentStart } from '../../src/rlhf/experiment-steps';
import { simulatedRanking } from '../../src/rlhf/simulated-rankings';
import { trainSft } from '../../src/rlhf/sft';
import { asDemonstrations, drain, loadNano, loadTask, type Task } from '../gpu/rlhf-fixture';

export const KIND: SimulatedValues = {
  attribute: 'polite',
  noise: 0.2,
  harm_aversion: 1.5,
  length_bias: 0,
};

export interface ExperimentTest {
  /** Its answers are polite, plain and rude. */
  start: ExperimentStart;
  task: Task;
}

/** Call it once in a file; what it returns is filled before the first test. */
export function experimentTests(): ExperimentTest {
  const test = {} as ExperimentTest;
  beforeAll(async () => {
    await openEngine({ force: 'wasm' });
    const nano = await loadNano();
    test.task = await loadTask('polite');
    const { output } = await drain(
      trainSft(
        { ...nano, demonstrations: asDemonstrations(test.task, 80, 0), samplePrompts: [], seed: 1 },
        stageConfig('sft', { num_train_epochs: 3 }),
        nano,
      ),
    );
    const demonstrations = asDemonstrations(test.task, 20, 0);
    test.start = { ...nano, weights: output!.weights, demonstrations, seed: 1 };
  });
  afterAll(closeEngine);
  return test;
}

export async function ended<T>(steps: AsyncGenerator<unknown, T>): Promise<T> {
  for (;;) {
    const next = await steps.next();
    if (next.done === true) return next.value;
  }
}

/** A labeler's rankings of `count` sets of the bundled completions. */
export function rankingsBy(
  task: Task,
  labeler: string,
  values: SimulatedValues,
  count: number,
): Ranking[] {
  return Array.from({ length: count }, (_, i) => {
    const texts = Array.from({ length: 4 }, (_, k) => ({
      text: task.demonstrations[(i * 5 + k * 7) % task.demonstrations.length]!.completion,
      finish: 'eos' as const,
    }));
    const prompt = task.prompts[i % task.prompts.length]!;
    return { ...simulatedRanking(values, { prompt, texts }, 1, i), labeler };
  });
}
