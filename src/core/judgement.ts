/** What many answers of a model say about it, in numbers that do not come from the reward model alone. */
import { hasAttribute, type AttributeName } from './attributes';
import type { Completion, PolicyName } from './domain';

/** An answer with what is known of it. */
export interface JudgedAnswer {
  model: PolicyName;
  completion: Completion;
  /** Normalised reward-model score; null without a reward model. */
  score: number | null;
  /** log π − log π_ref of each token, nats; null without a reference. */
  tokenKl: number[] | null;
}

/** Means over the answers of one model. */
export interface ModelSummary {
  model: PolicyName;
  answers: number;
  /** Mean normalised score; null without a reward model. */
  reward: number | null;
  /** Mean Σ_t (log π − log π_ref), nats for a completion; null without a reference. */
  kl: number | null;
  /** Share of answers that have the attribute by the rule, whatever the reward model says, 0 … 1. */
  attributeRate: number;
  /** Share of answers that were cut by the token limit, 0 … 1. */
  unfinishedRate: number;
  /** Mean length, tokens. */
  tokens: number;
}

/** What an answer with the attribute is called: "98 % of the answers are polite". */
export const ATTRIBUTE_WORDS: Readonly<Record<AttributeName, string>> = {
  polite: 'polite',
  happy: 'happy at the end',
  cats: 'about cats alone',
};

/** Σ_t (log π − log π_ref) of a completion, nats: a one-sample estimate of its KL. */
export const completionKl = (tokenKl: readonly number[] | null): number | null =>
  tokenKl === null ? null : tokenKl.reduce((sum, nats) => sum + nats, 0);

/** One summary for each model that answered, in the order in which the models first appear. */
export function summarizeAnswers(
  answers: readonly JudgedAnswer[],
  attribute: AttributeName,
): ModelSummary[] {
  const models = [...new Set(answers.map(({ model }) => model))];
  return models.map((model) => {
    const own = answers.filter((answer) => answer.model === model);
    return {
      model,
      answers: own.length,
      reward: meanOf(own.map(({ score }) => score)),
      kl: meanOf(own.map(({ tokenKl }) => completionKl(tokenKl))),
      attributeRate: share(own, ({ completion }) => hasAttribute(attribute, completion.text)),
      unfinishedRate: share(own, ({ completion }) => completion.finish === 'length'),
      tokens: own.reduce((sum, { completion }) => sum + completion.tokens.length, 0) / own.length,
    };
  });
}

/** Null as soon as one value is: a mean over some of the answers would compare unlike things. */
function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length < values.length
    ? null
    : known.reduce((sum, value) => sum + value, 0) / known.length;
}

const share = <T>(items: readonly T[], holds: (item: T) => boolean): number =>
  items.filter(holds).length / items.length;
