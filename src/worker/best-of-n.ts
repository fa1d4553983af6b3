/** Best-of-n of the project's models as a command; the page stores what comes of it. */
import type { BestOfNRecord } from '../core/best-of-n';
import { measureBestOfN } from '../rlhf/best-of-n';
import { getProject } from '../storage/projects';
import { runs } from '../storage/runs';
import type { InferenceParts } from './inference-commands';
import { collectInput, requireSameTokens, rolloutsOf } from './inputs';
import type { Commands } from './protocol';

/**
 * On what a PPO run would be started on now, and with its hash.
 * @throws PlaygroundError `missing` without SFT or reward model; as `measureBestOfN`
 */
export async function bestOfN(
  { db, shelf, gate, emit }: InferenceParts,
  { projectId }: Commands['bestOfN']['request'],
): Promise<BestOfNRecord> {
  const { data, inputHash } = await collectInput(db, shelf, projectId, 'ppo', '');
  const prompts = 'prompts' in data ? data.prompts : [];
  const project = await getProject(db, projectId);
  const rollouts = rolloutsOf(project, await runs.list(db, projectId));
  const steps = await gate.run(async () => {
    const { model: policy, tokenizer } = await shelf.policy(projectId, 'sft');
    const reward = await shelf.reward(projectId);
    // collectInput has asked for both
    requireSameTokens(tokenizer, reward!.tokenizer);
    const { seed } = project;
    return measureBestOfN({ policy, reward: reward!.model, tokenizer, prompts, rollouts, seed });
  });
  for (;;) {
    const next = await gate.run(() => steps.next());
    if (next.done === true) return { ...next.value, inputHash };
    emit({ kind: 'progress', what: 'best-of-n', ...next.value });
  }
}
