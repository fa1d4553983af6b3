/** How far a policy has gone from the SFT model, on answers that it has written itself. */
import type { WeightMap } from '../core/domain';
import { Llama } from '../engine/model';
import { encodePrompt } from '../tokenizer/chat-template';
import type { Answer, ExperimentStart } from './experiment-steps';
import { completionLogps } from './measures';
import { mean } from './experiment-steps';

/** Mean over answers of Σ (log π − log π_ref), nats, at the temperature they were written at: 1. */
export async function policyKl(
  {
    modelConfig,
    weights,
    tokenizer,
  }: Pick<ExperimentStart, 'modelConfig' | 'weights' | 'tokenizer'>,
  policy: WeightMap,
  answers: readonly Answer[],
): Promise<number> {
  const rows = answers.map(({ prompt, completion }) => {
    const start = encodePrompt(tokenizer, prompt);
    return { input_ids: [...start, ...completion.tokens], promptLength: start.length };
  });
  const logps = async (own: WeightMap): Promise<number[]> => {
    const model = Llama.loadFrozen(modelConfig, own);
    try {
      return await completionLogps(model, rows);
    } finally {
      model.dispose();
    }
  };
  const ours = await logps(policy);
  const theirs = await logps(weights);
  return mean(ours.map((logp, i) => logp - theirs[i]!));
}
