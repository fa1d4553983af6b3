/** What PPO loads, learns and saves: four models, their optimizers, and an average of the policy. */
import type { PpoConfig } from '../core/config';
import type { ModelConfig, WeightMap } from '../core/domain';
import { WeightAverage } from '../engine/average';
import { ScalarModel } from '../engine/heads';
import { Llama } from '../engine/model';
import { AdamW } from '../engine/optimizer';
import { readWeights } from '../engine/weights';
import { normalizedRewardWeights } from './reward';
import type { Models, RewardRule } from './rollout';
import { underPrefix, withPrefix, type StageSnapshot } from './stage';

/** Who scores completions. */
export type RewardSource =
  | { kind: 'model'; weights: WeightMap; shift: number; scale: number }
  | { kind: 'rule'; score: RewardRule };

export interface PpoStart {
  modelConfig: ModelConfig;
  /** The SFT model: where the policy starts, and the reference. */
  policyWeights: WeightMap;
  reward: RewardSource;
  seed: number;
}

/** The models with what trains them. */
export interface Learner extends Models {
  /** Learns the policy; with a shared trunk the value head too. */
  policyOptimizer: AdamW;
  /** Null with a shared trunk. */
  valueOptimizer: AdamW | null;
  /** Null when the last policy is what the run makes. */
  average: WeightAverage | null;
}

/** A head that starts at random is drawn apart from the reward model's. */
const FRESH_HEAD = 1;

/**
 * Loads everything, from the start or from a snapshot. The value model starts as the reward model
 * (Ouyang et al. 2022, section 3.5; Stiennon et al. 2020); a shared trunk, or a rule for a reward,
 * has no such start, so its head is new.
 */
export function loadLearner(start: PpoStart, config: PpoConfig, resume?: StageSnapshot): Learner {
  const { modelConfig, policyWeights, reward, seed } = start;
  const resumed = resume?.tensors;
  const online = resumed && underPrefix(config.ema_decay > 0 ? 'online' : 'policy', resumed);
  const rewardWeights =
    reward.kind === 'model'
      ? normalizedRewardWeights(reward.weights, reward.shift, reward.scale)
      : null;
  const policy = Llama.load(modelConfig, online ?? policyWeights);
  const saved = resumed && underPrefix('value', resumed);
  const isNew = rewardWeights === null || config.bug === 'value-not-initialised';
  const value =
    config.value_model === 'shared-trunk'
      ? ScalarModel.onTrunk(policy, saved ?? policyWeights, seed + FRESH_HEAD)
      : ScalarModel.load(
          modelConfig,
          saved ?? (isNew ? policyWeights : rewardWeights),
          seed + FRESH_HEAD,
        );
  const shared = config.value_model === 'shared-trunk';
  // eps 1e-5 for both, as in lm-human-preferences
  const options = { ...config, adam_epsilon: 1e-5 };
  const learner: Learner = {
    policy,
    reference: Llama.load(modelConfig, policyWeights),
    reward:
      reward.kind === 'rule' ? reward.score : ScalarModel.load(modelConfig, rewardWeights!, seed),
    value,
    policyOptimizer: new AdamW(
      shared ? new Map([...policy.parameters, ...value.parameters]) : policy.parameters,
      options,
    ),
    valueOptimizer: shared ? null : new AdamW(value.parameters, options),
    average:
      config.ema_decay > 0
        ? new WeightAverage(
            policy.parameters,
            resumed ? underPrefix('policy', resumed) : policyWeights,
            config.ema_decay,
          )
        : null,
  };
  if (resume && resumed) {
    const step = Number(resume.state.optimizerStep);
    learner.policyOptimizer.restore({ step, tensors: underPrefix('policy-optimizer', resumed) });
    learner.valueOptimizer?.restore({ step, tensors: underPrefix('value-optimizer', resumed) });
  }
  return learner;
}

/** The weights that the run makes: the average where there is one. */
export function shippedWeights(learner: Learner): Promise<WeightMap> {
  return learner.average?.read() ?? readWeights(learner.policy.parameters);
}

/** Everything that a resume needs; `policy/…` is what ships. */
export async function saveLearner(
  learner: Learner,
): Promise<{ tensors: WeightMap; optimizerStep: number }> {
  const policyState = await learner.policyOptimizer.state();
  const valueState = await learner.valueOptimizer?.state();
  const online = learner.average === null ? null : await readWeights(learner.policy.parameters);
  return {
    tensors: new Map([
      ...withPrefix('policy', await shippedWeights(learner)),
      ...(online === null ? [] : withPrefix('online', online)),
      ...withPrefix('value', await readWeights(learner.value.parameters)),
      ...withPrefix('policy-optimizer', policyState.tensors),
      ...(valueState === undefined ? [] : withPrefix('value-optimizer', valueState.tensors)),
    ]),
    optimizerStep: policyState.step,
  };
}

export function disposeLearner(learner: Learner): void {
  learner.policyOptimizer.dispose();
  learner.valueOptimizer?.dispose();
  learner.average?.dispose();
  learner.value.dispose();
  learner.policy.dispose();
  learner.reference.dispose();
  if (typeof learner.reward !== 'function') learner.reward.dispose();
}
