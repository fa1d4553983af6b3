/** What both sides are given. Chosen once, before either side had run; neither is tuned. */

/** How the SFT model and the reward model are made, once, from the bundled demo. */
export const START = {
  base: 'nano',
  task: 'polite',
  seed: 1,
  rankings: 120,
  K: 4,
  /** Of the simulated labeler, in units of its score: the demo's (core/simulated-labeler.ts). */
  noise: 0.2,
} as const;

/** Settings of PPO that mean the same on both sides, by TRL's names. */
export const SHARED = {
  num_iterations: 30,
  rollout_batch_size: 32,
  response_length: 48,
  temperature: 1,
  kl_coef: 0.05,
  learning_rate: 5e-4,
  num_ppo_epochs: 2,
  num_mini_batches: 1,
  gamma: 1,
  lam: 0.95,
  cliprange: 0.2,
  cliprange_value: 0.2,
  vf_coef: 0.1,
  whiten_rewards: false,
  missing_eos_penalty: 1,
  adam_beta1: 0.9,
  adam_beta2: 0.95,
  weight_decay: 0,
} as const;

/** Adam's epsilon, which is fixed on the page (rlhf/ppo-models.ts). TRL's default is 1e-8. */
export const ADAM_EPSILON = 1e-5;

/** What makes ours do as TRL does, where TRL has no choice. */
export const OURS = {
  ...SHARED,
  kl_controller: 'fixed',
  lr_schedule: 'constant',
  warmup_iterations: 0,
  missing_eos: 'subtract',
  // TRL clips neither gradients nor rewards
  max_grad_norm: 0,
  reward_clip: 0,
  value_model: 'separate',
  ema_decay: 0,
  ptx_coef: 0,
} as const;
