/** Runs in the browser for trl.ts: makes the models once, and runs our PPO from what was exported. */
import type { AttributeName } from '../../src/core/attributes';
import { stageConfig } from '../../src/core/config';
import type { MetricRow, ModelConfig, Ranking } from '../../src/core/domain';
import { simulatedLabelerName, simulateRanking } from '../../src/core/simulated-labeler';
import { openEngine, type BackendName } from '../../src/engine/backend';
import { collate } from '../../src/engine/batch';
import { ScalarModel } from '../../src/engine/heads';
import { scores, tokenLogprobs } from '../../src/engine/inference';
import { Llama } from '../../src/engine/model';
import { huggingFaceFiles, type ExportedModel } from '../../src/formats/hugging-face/export';
import { readSafetensors } from '../../src/formats/safetensors';
import { trainPpo } from '../../src/rlhf/ppo';
import { normalizedRewardWeights, trainReward } from '../../src/rlhf/reward';
import { sampleCompletions } from '../../src/rlhf/sampling';
import { trainSft } from '../../src/rlhf/sft';
import type { StageEvent } from '../../src/rlhf/stage';
import { splitHeldOut } from '../../src/state/held-out';
import { encodePrompt } from '../../src/tokenizer/chat-template';
import { fromTokenizerJson } from '../../src/tokenizer/tokenizer-json';
import type { Weights } from '../../src/worker/models';
import type { Exported, Iteration, Probe } from './result';
import { OURS, SHARED, START } from './settings';

const LENGTH = 64;
/** Prompts answered together. */
const PROMPTS_TOGETHER = 4;

/** The bundled demo: what the loop starts from. */
export interface TrlTask {
  attribute: AttributeName;
  demonstrations: { prompt: string; completion: string }[];
  prompts: string[];
}

/** Opens the engine; resolves to the adapter's name. */
export async function open(backend: BackendName): Promise<string> {
  const opened = await openEngine({ force: backend });
  return `${opened.backend}, ${opened.adapter}`;
}

/** Shipped base → SFT model → rankings by a simulated labeler → reward model; both exported. */
export async function makeModels(task: TrlTask): Promise<Exported> {
  const base = await fromFolder(`/models/${START.base}`);
  const { seed } = START;
  const demonstrations = splitHeldOut(
    task.demonstrations.map((pair, seq) => {
      return { ...pair, id: String(seq), projectId: '', heldOut: false, seq };
    }),
    { ratio: stageConfig('sft', {}).held_out_ratio, seed, beside: [] },
  );

  // 1. the policy that PPO starts from, and its reference
  const tuned = await finish(
    trainSft({ ...base, demonstrations, samplePrompts: [], seed }, stageConfig('sft', {}), base),
  );
  const sft = { ...base, weights: tuned.output.weights };

  // 2. the reward model, at the page's default settings
  const trained = await finish(
    trainReward(
      { ...sft, demonstrations, rankings: await rank(sft, task), seed },
      stageConfig('reward', {}),
      sft,
    ),
  );
  const { weights, rewardShift: shift, rewardScale: scale } = trained.output;

  // 3. both as Hugging Face folders, by the page's own exporter
  const card = {
    projectName: 'Against TRL',
    base: START.base,
    seed,
    stages: [],
    demonstrations: demonstrations.length,
    rankings: { people: 0, simulated: START.rankings },
  };
  const shared = {
    config: base.modelConfig,
    tokenizer: base.tokenizer,
    temperature: 1,
  };
  return {
    files: {
      ...filesOf('policy', {
        ...shared,
        kind: 'policy',
        weights: sft.weights,
        card: { ...card, normalization: null },
      }),
      ...filesOf('reward', {
        ...shared,
        kind: 'reward',
        weights: normalizedRewardWeights(weights, shift, scale),
        card: { ...card, normalization: { shift, scale } },
      }),
    },
    accuracy: trained.rows.at(-1)!.eval_accuracy ?? NaN,
  };
}

/** What the page makes of the exported models: ids, log-probabilities and scores of one answer each. */
export async function probe(folder: string, prompts: string[]): Promise<Probe> {
  const { policy, reward } = await exported(folder);
  const { tokenizer } = policy;
  const writer = Llama.load(policy.modelConfig, policy.weights);
  const judge = ScalarModel.load(reward.modelConfig, reward.weights, START.seed);
  try {
    const options = { temperature: 1, max_new_tokens: SHARED.response_length, seed: START.seed };
    const written = await sampleCompletions(writer, tokenizer, prompts, 1, options);
    const answers = prompts.map((prompt, i) => {
      const start = encodePrompt(tokenizer, prompt);
      const { text, tokens } = written[i]![0]!;
      const input_ids = [...start, ...tokens];
      return { prompt, completion: text, input_ids, promptLength: start.length };
    });
    const batch = collate(answers);
    const { logprobs } = await tokenLogprobs(writer, batch, 1);
    const scored = await scores(judge, batch);
    return {
      prompts: prompts.map((prompt) => ({ prompt, input_ids: encodePrompt(tokenizer, prompt) })),
      answers: answers.map((answer, b) => ({
        ...answer,
        // 0 outside the completion
        logprob: logprobs.subarray(b * batch.T, (b + 1) * batch.T).reduce((sum, x) => sum + x, 0),
        score: scored[b]!,
      })),
    };
  } finally {
    writer.dispose();
    judge.dispose();
  }
}

/** Our PPO from the exported folders. */
export async function ppo(folder: string, prompts: string[], seed: number): Promise<Iteration[]> {
  const { policy, reward } = await exported(folder);
  const stage = trainPpo(
    {
      modelConfig: policy.modelConfig,
      policyWeights: policy.weights,
      // the exported head has the normalisation in it
      reward: { kind: 'model', weights: reward.weights, shift: 0, scale: 1 },
      prompts,
      seed,
    },
    stageConfig('ppo', OURS),
    policy,
  );
  const { rows } = await finish(stage);
  return rows.map((row) => ({
    kl: row['objective/kl']!,
    score: row['objective/scores']!,
    entropy: row['objective/entropy']!,
    ended: row['val/num_eos_tokens']!,
  }));
}

/** Rankings of the SFT model's own answers. */
async function rank(sft: Weights, { attribute, prompts }: TrlTask): Promise<Ranking[]> {
  const model = Llama.load(sft.modelConfig, sft.weights);
  const perPrompt = Math.ceil(START.rankings / prompts.length);
  const options = { temperature: 1, max_new_tokens: LENGTH, seed: START.seed };
  const rankings: Ranking[] = [];
  try {
    for (let from = 0; from < prompts.length; from += PROMPTS_TOGETHER) {
      const some = prompts.slice(from, from + PROMPTS_TOGETHER);
      const n = perPrompt * START.K;
      const written = await sampleCompletions(model, sft.tokenizer, some, n, options);
      for (const [i, prompt] of some.entries()) {
        for (let set = 0; set < perPrompt; set++) {
          const completions = written[i]!.slice(set * START.K, (set + 1) * START.K);
          const { seed, noise } = START;
          rankings.push({
            id: String(rankings.length),
            projectId: '',
            setId: null,
            prompt,
            completions: completions.map(({ text }) => text),
            ...simulateRanking({ attribute, prompt, completions, seed, noise }),
            labeler: simulatedLabelerName(attribute),
            simulated: true,
            flags: completions.map(() => []),
            order: completions.map((_, k) => k),
            seq: rankings.length,
          });
        }
      }
    }
    return rankings.slice(0, START.rankings);
  } finally {
    model.dispose();
  }
}

/** The exported models as Python finds them too; the reward model with its bias. */
async function exported(folder: string): Promise<{ policy: Weights; reward: Weights }> {
  const policy = await fromFolder(`${folder}/policy`);
  const reward = await fromFolder(`${folder}/reward`);
  const { reward_offset } = (await (await get(`${folder}/reward/config.json`)).json()) as {
    reward_offset: number;
  };
  reward.weights.set('score.bias', { shape: [1], data: Float32Array.of(-reward_offset) });
  return { policy, reward };
}

async function fromFolder(folder: string): Promise<Weights> {
  const tensors = await (await get(`${folder}/model.safetensors`)).arrayBuffer();
  return {
    modelConfig: (await (await get(`${folder}/config.json`)).json()) as ModelConfig,
    weights: readSafetensors(new Uint8Array(tensors), `${folder}/model.safetensors`),
    tokenizer: fromTokenizerJson(await (await get(`${folder}/tokenizer.json`)).text()),
  };
}

async function get(url: string): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response;
}

function filesOf(folder: string, model: ExportedModel): Record<string, string> {
  return Object.fromEntries(
    huggingFaceFiles(model).map(({ path, pieces }) => [
      `${folder}/${path}`,
      [...pieces()].reduce((text, piece) => text + latin1(piece), ''),
    ]),
  );
}

/** Bytes as characters 0 … 255, which JSON carries. */
function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let from = 0; from < bytes.length; from += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(from, from + 0x8000));
  }
  return text;
}

/** Pulls a stage to its end. */
async function finish<T>(
  stage: AsyncGenerator<StageEvent, T>,
): Promise<{ output: T; rows: MetricRow[] }> {
  const rows: MetricRow[] = [];
  for (;;) {
    const next = await stage.next();
    if (next.done) return { output: next.value, rows };
    rows.push(next.value.row);
  }
}
