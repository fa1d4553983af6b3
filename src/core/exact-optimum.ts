/**
 * What RLHF would reach if it were perfect, where every response can be listed. Maximising
 * E_π[r] − β·KL(π ‖ π_ref) has one solution (Ziegler et al. 2019, section 2; Korbak et al. 2022):
 *
 *   π*(y) ∝ π_ref(y)·e^{r(y)/β},  optimum β·log E_ref[e^{r/β}]
 */
import { bestOfNKl } from './best-of-n';

/** A point between reward and KL. */
export interface FrontierPoint {
  kl_coef: number;
  /** E_π*[r]. */
  reward: number;
  /** KL(π* ‖ π_ref), nats. */
  kl: number;
  /** E_π*[r] − β·KL: no policy has more. */
  objective: number;
}

const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0);

/** log Σ eˣ without overflow. */
function logSumExp(xs: readonly number[]): number {
  const most = Math.max(...xs);
  return most + Math.log(sum(xs.map((x) => Math.exp(x - most))));
}

/**
 * The best policy for one prompt, as log-probabilities of all responses.
 * @param refLogprobs log π_ref of every response, nats; they are all there are: Σ e^log = 1
 * @param kl_coef β > 0
 */
export function optimalLogprobs(
  refLogprobs: readonly number[],
  rewards: readonly number[],
  kl_coef: number,
): number[] {
  const tilted = refLogprobs.map((logprob, y) => logprob + rewards[y]! / kl_coef);
  const z = logSumExp(tilted);
  return tilted.map((x) => x - z);
}

/** E_π[r] and KL(π ‖ π_ref) of any policy over the same responses. */
export function rewardAndKl(
  logprobs: readonly number[],
  refLogprobs: readonly number[],
  rewards: readonly number[],
): { reward: number; kl: number } {
  return {
    reward: sum(logprobs.map((logprob, y) => Math.exp(logprob) * rewards[y]!)),
    kl: sum(logprobs.map((logprob, y) => Math.exp(logprob) * (logprob - refLogprobs[y]!))),
  };
}

/** The best that can be had at each β, for one prompt. */
export function frontier(
  refLogprobs: readonly number[],
  rewards: readonly number[],
  kl_coefs: readonly number[],
): FrontierPoint[] {
  return kl_coefs.map((kl_coef) => {
    const best = optimalLogprobs(refLogprobs, rewards, kl_coef);
    const { reward, kl } = rewardAndKl(best, refLogprobs, rewards);
    return { kl_coef, reward, kl, objective: reward - kl_coef * kl };
  });
}

/** Drawing n answers of the reference and keeping the best: expected reward, and the usual bound on the KL. */
export function bestOfN(
  refLogprobs: readonly number[],
  rewards: readonly number[],
  n: number,
): { reward: number; kl: number } {
  const byReward = rewards
    .map((reward, y) => ({ reward, probability: Math.exp(refLogprobs[y]!) }))
    .sort((a, b) => a.reward - b.reward);
  let below = 0;
  let expected = 0;
  for (const { reward, probability } of byReward) {
    // P(the best is this one): all n at or below it, but not all below
    expected += reward * ((below + probability) ** n - below ** n);
    below += probability;
  }
  return { reward: expected, kl: bestOfNKl(n) };
}
