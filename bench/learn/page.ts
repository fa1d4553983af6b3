/** Runs in the browser for learn.ts: the whole loop on a shipped base, one call for each stage. */
import { hasAttribute, type AttributeName } from '../../src/core/attributes';
import { stageConfig } from '../../src/core/config';
import { sizeDefaults } from '../../src/core/config-size';
import type { Completion, Demonstration, MetricRow, Ranking } from '../../src/core/domain';
import type { PresetName } from '../../src/core/presets';
import { noiseForAgreement, selfAgreement } from '../../src/core/self-agreement';
import { simulatedLabelerName, simulateRanking } from '../../src/core/simulated-labeler';
import { openEngine, type BackendName } from '../../src/engine/backend';
import { collate } from '../../src/engine/batch';
import { ScalarModel } from '../../src/engine/heads';
import { tokenLogprobs } from '../../src/engine/inference';
import { Llama } from '../../src/engine/model';
import { rewardAccuracy } from '../../src/rlhf/measures';
import { trainPpo } from '../../src/rlhf/ppo';
import { rankedRows } from '../../src/rlhf/rankings';
import { trainReward, type RewardOutput } from '../../src/rlhf/reward';
import { sampleCompletions } from '../../src/rlhf/sampling';
import { trainSft } from '../../src/rlhf/sft';
import type { StageEvent } from '../../src/rlhf/stage';
import { splitHeldOut } from '../../src/state/held-out';
import { openDatabase } from '../../src/storage/open';
import { encodePrompt } from '../../src/tokenizer/chat-template';
import { ModelShelf, type Weights } from '../../src/worker/models';
import { distinct2 } from '../../tools/base-model/eval/measures';
import { tokensOf } from '../../tools/base-model/eval/text-units';
import type { Judged, LearnResult, LearnTask, Ranked, Selected, Settings, Trained } from './result';

const LENGTH = 64;
/** Completions sampled together. */
const TOGETHER = 64;
/** Answers drawn for each that is to have the attribute. */
const SELECT_FROM = 4;

interface State {
  base: Weights;
  task: LearnTask;
  sft: Weights;
  reward: RewardOutput | null;
}
let engine = '';
let state: State | null = null;

/** Opens the engine; resolves to the adapter's name. */
export async function open(backend: BackendName): Promise<string> {
  const opened = await openEngine({ force: backend });
  engine = `${opened.backend}, ${opened.adapter}`;
  return engine;
}

/** Demonstrations → SFT model. */
export async function sft(base: PresetName, task: LearnTask): Promise<Trained> {
  const shelf = new ModelShelf(await openDatabase(), `${location.origin}/`);
  const shipped = await shelf.weights({ kind: 'shipped', id: base, runId: base }, 'policy');
  const { seed } = task;
  const config = stageConfig('sft', task.settings.sft ?? {});
  const stage = trainSft(
    { ...shipped, demonstrations: demonstrations(task), samplePrompts: [], seed },
    config,
    shipped,
  );
  const { output, rows, ms } = await finish(stage);
  state = {
    base: shipped,
    task,
    sft: { ...shipped, weights: output.weights },
    reward: null,
  };
  return { last: rows.at(-1)!, ms };
}

/** SFT model → rankings by a simulated labeler that agrees with itself as asked → reward model. */
export async function rewardModel(): Promise<Ranked> {
  const { sft, task } = current();
  const { attribute, seed } = task;
  const started = performance.now();
  const perPrompt = Math.ceil(task.rankings / task.prompts.length);
  const sets = (await write(sft, task.prompts, perPrompt * task.K, seed))
    .flatMap(({ prompt, completions }) =>
      Array.from({ length: perPrompt }, (_, i) => ({
        attribute,
        prompt,
        completions: completions.slice(i * task.K, (i + 1) * task.K),
      })),
    )
    .slice(0, task.rankings);
  const noise = noiseForAgreement(sets, task.agreement, seed);
  const config = stageConfig('reward', task.settings.reward ?? {});
  const stage = trainReward(
    {
      ...sft,
      demonstrations: demonstrations(task),
      rankings: sets.map((set, seq) => ranking(set, noise, seed, seq)),
      seed,
    },
    config,
    sft,
  );
  const { output, rows } = await finish(stage);
  current().reward = output;
  const last = rows.at(-1)!;
  // on prompts that neither rankings nor demonstrations know, by the labeler's rule without noise
  const fresh = (await write(sft, task.heldOutPrompts, 2 * task.K, seed + 1000)).map((set) => ({
    ...set,
    attribute,
  }));
  const model = ScalarModel.load(sft.modelConfig, output.weights, seed);
  const context = sft.modelConfig.max_position_embeddings;
  const truth = await rewardAccuracy(
    model,
    rankedRows(
      sft.tokenizer,
      fresh.map((set, seq) => ranking(set, 0, seed, seq)),
      context,
    ),
  );
  model.dispose();
  return {
    last,
    ms: performance.now() - started,
    noise,
    agreement: selfAgreement(sets, { noise, seed: seed + 1 }) ?? NaN,
    accuracy: last.eval_accuracy ?? NaN,
    trueAccuracy: truth.accuracy,
    truePairs: truth.pairs,
  };
}

/** PPO with changes of its defaults, and both models judged on prompts that no training has seen. */
export async function ppo(changes: Settings): Promise<LearnResult['ppo']> {
  const { sft, task, reward } = current();
  if (reward === null) throw new Error('train the reward model first');
  const stage = trainPpo(
    {
      modelConfig: sft.modelConfig,
      policyWeights: sft.weights,
      reward: {
        kind: 'model',
        weights: reward.weights,
        shift: reward.rewardShift,
        scale: reward.rewardScale,
      },
      prompts: task.prompts,
      seed: task.seed,
    },
    stageConfig('ppo', { ...sizeDefaults('ppo', sft.modelConfig), ...changes }),
    sft,
  );
  const { output, rows, ms } = await finish(stage);
  const policy = { ...sft, weights: output.weights };
  return {
    last: rows.at(-1)!,
    ms,
    curve: rows.map((row) => ({
      kl: rounded(row['objective/kl']!),
      score: rounded(row['objective/scores']!),
    })),
    before: await judge(sft, sft, task),
    after: await judge(policy, sft, task),
    selected: await select(sft, task),
  };
}

const rounded = (x: number): number => Number(x.toPrecision(5));

function current(): State {
  if (state === null) throw new Error('train the SFT model first');
  return state;
}

function demonstrations({ demonstrations, seed }: LearnTask): Demonstration[] {
  const all = demonstrations.map((pair, seq): Demonstration => {
    return { ...pair, id: String(seq), projectId: '', heldOut: false, seq };
  });
  const ratio = stageConfig('sft', {}).held_out_ratio;
  return splitHeldOut(all, { ratio, seed, beside: [] });
}

interface WrittenSet {
  prompt: string;
  completions: Completion[];
}

function ranking(
  { attribute, prompt, completions }: WrittenSet & { attribute: AttributeName },
  noise: number,
  seed: number,
  seq: number,
): Ranking {
  const { ranks, outcome } = simulateRanking({ attribute, prompt, completions, seed, noise });
  return {
    id: String(seq),
    projectId: '',
    setId: null,
    prompt,
    completions: completions.map(({ text }) => text),
    ranks,
    outcome,
    labeler: simulatedLabelerName(attribute),
    simulated: true,
    flags: completions.map(() => []),
    order: completions.map((_, i) => i),
    seq,
  };
}

/** `n` completions of each prompt at temperature 1. */
async function write(
  { modelConfig, weights, tokenizer }: Weights,
  prompts: readonly string[],
  n: number,
  seed: number,
): Promise<WrittenSet[]> {
  const model = Llama.load(modelConfig, weights);
  const options = { temperature: 1, max_new_tokens: LENGTH, seed };
  const perCall = Math.max(1, Math.floor(TOGETHER / n));
  const sets: WrittenSet[] = [];
  try {
    for (let from = 0; from < prompts.length; from += perCall) {
      const some = prompts.slice(from, from + perCall);
      const written = await sampleCompletions(model, tokenizer, some, n, options);
      sets.push(...some.map((prompt, i) => ({ prompt, completions: written[i]! })));
    }
    return sets;
  } finally {
    model.dispose();
  }
}

async function judge(policy: Weights, reference: Weights, task: LearnTask): Promise<Judged> {
  const sets = await write(policy, task.heldOutPrompts, task.answersPerPrompt, task.seed + 2000);
  const answers = sets.flatMap(({ completions }) => completions);
  const share = (is: (answer: Completion) => boolean) => answers.filter(is).length / answers.length;
  return {
    answers: answers.length,
    rate: share(({ text }) => hasAttribute(task.attribute, text)),
    ended: share(({ finish }) => finish === 'eos'),
    distinct2: distinct2(answers.map(({ text }) => tokensOf(text))),
    tokens: answers.reduce((sum, { tokens }) => sum + tokens.length, 0) / answers.length,
    kl: await klOf(sets, reference, policy),
    shown: sets.slice(0, 4).map(({ prompt, completions }) => ({
      prompt,
      text: completions[0]!.text,
    })),
  };
}

/** How much diversity is lost by keeping only what has the attribute: a bound on what PPO can keep. */
async function select(sft: Weights, task: LearnTask): Promise<Selected> {
  const { answersPerPrompt, heldOutPrompts, seed, attribute } = task;
  const drawn = await write(sft, heldOutPrompts, SELECT_FROM * answersPerPrompt, seed + 3000);
  const texts = (is: (text: string) => boolean) =>
    drawn.map(({ completions }) =>
      completions
        .map(({ text }) => text)
        .filter(is)
        .slice(0, answersPerPrompt),
    );
  const having = texts((text) => hasAttribute(attribute, text));
  const any = texts(() => true).map((some, i) => some.slice(0, having[i]!.length));
  const diversity = (sets: string[][]) => distinct2(sets.flat().map(tokensOf));
  return { answers: having.flat().length, distinct2: diversity(having) / diversity(any) };
}

/** Mean over answers of Σ (log π − log π_ref), nats. */
async function klOf(
  sets: readonly WrittenSet[],
  reference: Weights,
  policy: Weights,
): Promise<number> {
  const rows = sets.flatMap(({ prompt, completions }) => {
    const start = encodePrompt(policy.tokenizer, prompt);
    return completions.map(({ tokens }) => ({
      input_ids: [...start, ...tokens],
      promptLength: start.length,
    }));
  });
  const models = [policy, reference].map(({ modelConfig, weights }) =>
    Llama.load(modelConfig, weights),
  );
  let sum = 0;
  for (let from = 0; from < rows.length; from += TOGETHER) {
    const batch = collate(rows.slice(from, from + TOGETHER));
    const [own, other] = [
      await tokenLogprobs(models[0]!, batch, 1),
      await tokenLogprobs(models[1]!, batch, 1),
    ];
    own.logprobs.forEach((logprob, i) => (sum += logprob - other.logprobs[i]!));
  }
  for (const model of models) model.dispose();
  return sum / rows.length;
}

/** Pulls a stage to its end. */
async function finish<T>(
  stage: AsyncGenerator<StageEvent, T>,
): Promise<{ output: T; rows: MetricRow[]; ms: number }> {
  const started = performance.now();
  const rows: MetricRow[] = [];
  for (;;) {
    const next = await stage.next();
    if (next.done) return { output: next.value, rows, ms: performance.now() - started };
    rows.push(next.value.row);
  }
}
