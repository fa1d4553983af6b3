/** Completions, comparisons and scores by the models of a project. */
import type { CandidateSet, Completion, PolicyName, Project } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import { collate } from '../engine/batch';
import { tokenLogprobs } from '../engine/inference';
import { scoreRows } from '../rlhf/measures';
import { displayOrder } from '../rlhf/rankings';
import { promptTokens, sampleCompletions, type PromptForm } from '../rlhf/sampling';
import { getProject } from '../storage/projects';
import type { Database } from '../storage/schema';
import { encodeDialogue } from '../tokenizer/chat-template';
import type { Gate } from './gate';
import type { LoadedPolicy, LoadedReward, ModelShelf } from './models';
import type { Commands, Comparison } from './protocol';
import type { EventBody } from './run-loop';

/** Completions sampled together. */
const CANDIDATE_ROWS = 64;

export interface InferenceParts {
  db: Database;
  shelf: ModelShelf;
  gate: Gate;
  emit: (event: EventBody) => void;
}

/** @throws PlaygroundError `missing` when that model has not been trained */
export function complete(
  { shelf, gate }: InferenceParts,
  { projectId, options }: Commands['complete']['request'],
): Promise<Completion[]> {
  return gate.run(async () => {
    const { model, tokenizer } = await shelf.policy(projectId, options.model);
    const [completions] = await sampleCompletions(model, tokenizer, [options.prompt], options.n, {
      temperature: options.temperature,
      max_new_tokens: options.maxNewTokens,
      seed: options.seed,
      form: formFor(options.model),
    });
    return completions ?? [];
  });
}

/** A base model has never seen the chat template; it goes on from plain text. */
const formFor = (model: PolicyName): PromptForm => (model === 'base' ? 'plain' : 'chat');

/** A request as its corpus writes it for a base model: the answer stands on the next line. */
const asked = (model: PolicyName, prompt: string): string =>
  model === 'base' ? `${prompt}\n` : prompt;

/** Answers of every model that the project has to the same prompts and seed: [prompt × n + i][model]. */
export async function compare(
  { db, shelf, gate, emit }: InferenceParts,
  request: Commands['compare']['request'],
): Promise<Comparison[][]> {
  const { projectId, prompts, n } = request;
  const project = await getProject(db, projectId);
  const names: PolicyName[] = [];
  for (const name of ['base', 'sft', 'dpo', 'ppo'] as const) {
    if ((await shelf.find(project, name)) !== null) names.push(name);
  }
  const perCall = Math.max(1, Math.floor(CANDIDATE_ROWS / n));
  const result: Comparison[][] = [];
  for (let start = 0; start < prompts.length; start += perCall) {
    const part = { ...request, prompts: prompts.slice(start, start + perCall) };
    const byModel: Comparison[][] = [];
    for (const name of names) {
      byModel.push(await gate.run(() => answersOf(shelf, name, names.includes('sft'), part)));
    }
    result.push(...byModel[0]!.map((_, i) => byModel.map((answers) => answers[i]!)));
    emit({
      kind: 'progress',
      what: 'compare',
      done: start + part.prompts.length,
      total: prompts.length,
    });
  }
  return result;
}

/** `n` answers of one model to each prompt, scored, with their distance from the SFT model. */
async function answersOf(
  shelf: ModelShelf,
  name: PolicyName,
  hasReference: boolean,
  request: Commands['compare']['request'],
): Promise<Comparison[]> {
  const { projectId, prompts, n } = request;
  const policy = await shelf.policy(projectId, name);
  const written = await sampleCompletions(
    policy.model,
    policy.tokenizer,
    prompts.map((prompt) => asked(name, prompt)),
    n,
    {
      temperature: request.temperature,
      max_new_tokens: request.maxNewTokens,
      seed: request.seed,
      form: formFor(name),
    },
  );
  const answers = prompts.flatMap((prompt, p) =>
    written[p]!.map((completion) => ({ prompt, completion })),
  );
  const reference = hasReference ? await shelf.policy(projectId, 'sft') : null;
  const tokenKl =
    reference !== null && policy.tokenizer.hasSameTokens(reference.tokenizer)
      ? await tokenKlOf({ name, policy, reference }, answers, request.temperature)
      : null;
  const reward = await shelf.reward(projectId);
  const scores =
    reward === null
      ? null
      : await scoresOf(
          reward,
          answers.map(({ prompt, completion }) => ({ prompt, completion: completion.text })),
        );
  return answers.map(({ completion }, i) => ({
    model: name,
    completion,
    tokens: policy.tokenizer.decodeTokens(completion.tokens),
    score: scores?.[i] ?? null,
    tokenKl: tokenKl?.[i] ?? null,
  }));
}

/**
 * log π − log π_ref for each token of each completion, nats, at the sampling temperature. Each model
 * reads the prompt in its own form.
 */
async function tokenKlOf(
  { name, policy, reference }: { name: PolicyName; policy: LoadedPolicy; reference: LoadedPolicy },
  answers: readonly { prompt: string; completion: Completion }[],
  temperature: number,
): Promise<number[][]> {
  const logprobsBy = async ({ model, tokenizer }: LoadedPolicy, as: PolicyName) => {
    const context = model.config.max_position_embeddings;
    const rows = answers.map(({ prompt, completion }) => {
      const start = promptTokens(tokenizer, asked(as, prompt), context, formFor(as));
      const room = completion.tokens.slice(0, context - start.length);
      return { input_ids: [...start, ...room], promptLength: start.length };
    });
    const batch = collate(rows);
    const { logprobs } = await tokenLogprobs(model, batch, temperature);
    // Place t holds the log-probability of token t + 1.
    return rows.map(({ input_ids, promptLength }, b) => {
      const first = b * batch.T + promptLength - 1;
      return logprobs.subarray(first, first + input_ids.length - promptLength);
    });
  };
  const theirs = await logprobsBy(reference, 'sft');
  const ours = name === 'sft' ? theirs : await logprobsBy(policy, name);
  return theirs.map((row, b) => Array.from(row, (logprob, i) => ours[b]![i]! - logprob));
}

/** K completions of each prompt by the SFT model, in an order that is random and stored. */
export async function generateCandidates(
  { shelf, gate, emit }: InferenceParts,
  request: Commands['generateCandidates']['request'],
): Promise<Omit<CandidateSet, 'id' | 'seq'>[]> {
  const { projectId, prompts, k, temperature, seed } = request;
  const perCall = Math.max(1, Math.floor(CANDIDATE_ROWS / k));
  const result: Omit<CandidateSet, 'id' | 'seq'>[] = [];
  for (let start = 0; start < prompts.length; start += perCall) {
    const chosen = prompts.slice(start, start + perCall);
    const written = await gate.run(async () => {
      const { source, model, tokenizer } = await shelf.policy(projectId, 'sft');
      const texts = chosen.map(({ text }) => text);
      const completions = await sampleCompletions(model, tokenizer, texts, k, {
        temperature,
        max_new_tokens: request.maxNewTokens,
        seed,
      });
      return { sourceRunId: source.runId, completions };
    });
    chosen.forEach(({ id, text }, i) => {
      result.push({
        projectId,
        promptId: id,
        prompt: text,
        completions: written.completions[i]!,
        order: displayOrder(k, seed, text),
        sourceRunId: written.sourceRunId,
        temperature,
        seed,
      });
    });
    emit({ kind: 'progress', what: 'candidates', done: result.length, total: prompts.length });
  }
  return result;
}

/** @throws PlaygroundError `missing` without a reward model */
export function score(
  { shelf, gate }: InferenceParts,
  { projectId, items }: Commands['score']['request'],
): Promise<number[]> {
  return gate.run(async () => {
    const reward = await shelf.reward(projectId);
    if (reward === null) throw noReward();
    return scoresOf(reward, items);
  });
}

/** Normalised scores; the start of a dialogue is scored when all of it does not fit the context. */
async function scoresOf(
  { model, tokenizer }: LoadedReward,
  items: readonly { prompt: string; completion: string }[],
): Promise<number[]> {
  const context = model.config.max_position_embeddings;
  const rows = items.map(({ prompt, completion }) => {
    promptTokens(tokenizer, prompt, context);
    const { input_ids, promptLength } = encodeDialogue(tokenizer, prompt, completion);
    return { input_ids: input_ids.slice(0, context), promptLength };
  });
  return scoreRows(model, rows);
}

const noReward = (): PlaygroundError => {
  const name: keyof Project['runs'] = 'reward';
  return new PlaygroundError({
    code: 'missing',
    field: name,
    message: 'This project has no reward model yet.',
    remedy: 'Train the reward model first.',
  });
};
