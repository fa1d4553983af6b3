/** What the functions of `window.rlhf` take, checked before anything happens. */
import * as v from 'valibot';
import { PlaygroundError } from './core/errors';

export const MAX_SEED = 2 ** 32 - 1;
export const text = v.pipe(v.string('must be text'), v.nonEmpty('must not be empty'));
export const number = v.pipe(v.number('must be a number'), v.finite('must be finite'));
export const whole = (min: number, max: number) =>
  v.pipe(
    number,
    v.check(
      (value) => Number.isInteger(value) && value >= min && value <= max,
      `must be a whole number from ${min} to ${max}`,
    ),
  );
export const seed = whole(0, MAX_SEED);

export const newProjectSchema = v.strictObject({
  name: v.optional(text, 'Untitled'),
  base: v.optional(text, 'nano'),
  seed: v.optional(seed, 1),
});
export const completeSchema = v.strictObject({
  model: v.picklist(['base', 'sft', 'ppo', 'dpo'], 'must be one of base, sft, ppo, dpo'),
  prompt: text,
  n: v.optional(whole(1, 64), 1),
  maxNewTokens: v.optional(whole(1, 128), 48),
  temperature: v.optional(
    v.pipe(
      number,
      v.check((value) => value >= 0.1 && value <= 2, 'must be from 0.1 to 2'),
    ),
    1,
  ),
  seed: v.optional(seed, 1),
});
export const FLAGS = ['insult', 'threat', 'sexual', 'self-harm', 'privacy', 'other'] as const;
export const rankingSchema = v.strictObject({
  prompt: text,
  completions: v.pipe(
    v.array(v.string('must be text'), 'must be a list of texts'),
    v.minLength(2, 'must hold at least 2 texts'),
    v.maxLength(9, 'must hold at most 9 texts'),
  ),
  ranks: v.array(whole(1, 9), 'must be a list of whole numbers, 1 is best'),
  labeler: v.optional(text, 'script'),
  flags: v.optional(
    v.array(
      v.array(v.picklist(FLAGS, `must be one of ${FLAGS.join(', ')}`), 'must be a list'),
      'must hold one list for each completion',
    ),
    [],
  ),
});
export const scoreSchema = v.strictObject({ prompt: text, completion: v.string('must be text') });
export const configSchema = v.optional(v.record(v.string(), v.unknown(), 'must be an object'), {});
export const modelSchema = v.picklist(
  ['base', 'sft', 'reward', 'ppo', 'dpo'],
  'must be one of base, sft, reward, ppo, dpo',
);
export const deviceReportSchema = v.strictObject({
  measure: v.optional(v.boolean('must be true or false'), true),
});
export const filesSchema = v.pipe(
  v.array(v.instance(File, 'must be a list of files')),
  v.nonEmpty('must not be empty'),
);
export const stageSchema = v.picklist(
  ['sft', 'reward', 'ppo', 'dpo'],
  'must be one of sft, reward, ppo, dpo',
);
export type TrainingStage = v.InferOutput<typeof stageSchema>;

/**
 * The checked argument, defaults filled in.
 * @param name stands for the argument itself where the fault is in no field of it
 * @throws PlaygroundError `argument` naming the field
 */
export function check<S extends v.GenericSchema>(
  name: string,
  schema: S,
  value: unknown,
): v.InferOutput<S> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const field = v.getDotPath(issue) ?? name;
  const unknown = issue.type === 'strict_object' && issue.expected === 'never';
  const missing = issue.expected !== 'never' && issue.received === 'undefined';
  const problem = unknown ? 'is not known' : missing ? 'is missing' : issue.message;
  throw new PlaygroundError({
    code: 'argument',
    field,
    message: `${field} ${problem}.`,
    remedy: 'See docs/api.md for what this function takes.',
  });
}

/** A refused setting is a bad argument here: same field, same range, the code of arguments. */
export async function asArgument<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PlaygroundError) || error.code !== 'config') throw error;
    throw new PlaygroundError({ ...error.toDetails(), code: 'argument' });
  }
}
