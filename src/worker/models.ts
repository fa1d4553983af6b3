/** Finds and loads models: shipped bases, and the newest checkpoint of a run. */
import type { ModelConfig, PolicyName, Project, Run, WeightMap } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import type { Source } from '../core/run-data';
import { ScalarModel } from '../engine/heads';
import { Llama } from '../engine/model';
import { ownFile } from '../formats/own-files';
import { readSafetensors } from '../formats/safetensors';
import { normalizedRewardWeights } from '../rlhf/reward';
import { underPrefix } from '../rlhf/stage';
import { loadCheckpoint } from '../storage/checkpoints';
import { getProject } from '../storage/projects';
import { runs } from '../storage/runs';
import type { Database } from '../storage/schema';
import { splitDocuments } from '../tokenizer/documents';
import type { Tokenizer } from '../tokenizer/tokenizer';
import { fromTokenizerJson } from '../tokenizer/tokenizer-json';

export interface Weights {
  modelConfig: ModelConfig;
  weights: WeightMap;
  tokenizer: Tokenizer;
}

export interface LoadedPolicy {
  source: Source;
  model: Llama;
  tokenizer: Tokenizer;
}

export interface LoadedReward {
  model: ScalarModel;
  tokenizer: Tokenizer;
}

interface Cached {
  projectId: string;
  key: string;
  loaded: Promise<LoadedPolicy | LoadedReward>;
}

/** base, SFT, PPO, DPO and reward of the open project. */
const CACHED_MODELS = 5;

const STAGE_NAMES = { base: 'base', sft: 'SFT', reward: 'reward', ppo: 'PPO', dpo: 'DPO' } as const;
const REMEDIES = {
  base: 'Choose a shipped base model or pretrain one in the Base stage.',
  sft: 'Train the SFT stage first.',
  reward: 'Train the reward model first.',
  ppo: 'Train the PPO stage first.',
  dpo: 'Train DPO first, in the PPO stage.',
} as const;

/** The two editions of the corpus, a few thousand documents of each. */
const PRETRAINING_TEXT: Readonly<Record<string, string>> = {
  nano: 'demo/corpus.txt',
  tiny: 'demo/corpus-full.txt',
  small: 'demo/corpus-full.txt',
};

export class ModelShelf {
  private readonly db: Database;
  private readonly baseUrl: string;
  /** Most recently used last. */
  private cache: Cached[] = [];

  constructor(db: Database, baseUrl: string) {
    this.db = db;
    this.baseUrl = baseUrl;
  }

  /**
   * What a name means in a project at present; null when it has not been trained yet.
   */
  async find(project: Project, name: keyof Project['runs']): Promise<Source | null> {
    const runId = project.runs[name];
    if (runId !== null) {
      const run = await runs.get(this.db, runId);
      if (run?.checkpointId != null) {
        return { kind: 'checkpoint', id: run.checkpointId, runId };
      }
    }
    if (name !== 'base' || project.base === 'scratch') return null;
    return { kind: 'shipped', id: project.base, runId: project.base };
  }

  /** @throws PlaygroundError `missing` saying which stage to train first */
  async require(project: Project, name: keyof Project['runs']): Promise<Source> {
    const source = await this.find(project, name);
    if (source !== null) return source;
    throw new PlaygroundError({
      code: 'missing',
      field: name,
      message: `This project has no ${STAGE_NAMES[name]} model yet.`,
      remedy: REMEDIES[name],
    });
  }

  /** The weights and the tokenizer of a source, on the host. `prefix` is 'policy' or 'model'. */
  async weights(source: Source, prefix: 'policy' | 'model'): Promise<Weights> {
    if (source.kind === 'shipped') return this.shipped(source.id);
    const { manifest, tensors } = await loadCheckpoint(this.db, source.id, `${prefix}/`);
    return {
      modelConfig: manifest.modelConfig,
      weights: underPrefix(prefix, tensors),
      tokenizer: fromTokenizerJson(manifest.state['tokenizer']),
    };
  }

  /** Text of the kind that a shipped base learned from; none for other bases. */
  async pretrainingTexts(base: string | undefined): Promise<string[]> {
    const file = base === undefined ? undefined : PRETRAINING_TEXT[base];
    if (file === undefined) return [];
    return splitDocuments(await (await fetchFile(this.baseUrl, file)).text());
  }

  /** A policy on the GPU. @throws PlaygroundError `missing` */
  async policy(projectId: string, name: PolicyName): Promise<LoadedPolicy> {
    const source = await this.require(await getProject(this.db, projectId), name);
    return this.cached(projectId, `policy ${source.id}`, async () => {
      const { modelConfig, weights, tokenizer } = await this.weights(source, 'policy');
      return { source, model: Llama.loadFrozen(modelConfig, weights), tokenizer };
    });
  }

  /** The reward model on the GPU, its output normalised; null when there is none yet. */
  async reward(projectId: string): Promise<LoadedReward | null> {
    const project = await getProject(this.db, projectId);
    const source = await this.find(project, 'reward');
    if (source === null) return null;
    const run = await runs.get(this.db, source.runId);
    return this.cached(projectId, `reward ${source.id}`, async () => {
      const { modelConfig, weights, tokenizer } = await this.weights(source, 'model');
      const { rewardShift, rewardScale } = run as Run;
      const normalized = normalizedRewardWeights(weights, rewardShift, rewardScale);
      return { model: ScalarModel.load(modelConfig, normalized, project.seed), tokenizer };
    });
  }

  /** Frees the models of a project. */
  async forget(projectId: string): Promise<void> {
    const gone = this.cache.filter((entry) => entry.projectId === projectId);
    this.cache = this.cache.filter((entry) => entry.projectId !== projectId);
    for (const entry of gone) await release(entry);
  }

  private async cached<T extends LoadedPolicy | LoadedReward>(
    projectId: string,
    key: string,
    load: () => Promise<T>,
  ): Promise<T> {
    const found = this.cache.find((entry) => entry.key === key);
    const entry = found ?? { projectId, key, loaded: load() };
    this.cache = [...this.cache.filter((other) => other !== entry), entry];
    while (this.cache.length > CACHED_MODELS) await release(this.cache.shift()!);
    try {
      // The key names the kind of model, so what is stored under it is a T.
      return (await entry.loaded) as T;
    } catch (thrown) {
      this.cache = this.cache.filter((other) => other !== entry);
      throw thrown;
    }
  }

  private async shipped(id: string): Promise<Weights> {
    const folder = `models/${encodeURIComponent(id)}`;
    const fetched = (name: string) => fetchFile(this.baseUrl, `${folder}/${name}`);
    const [config, tensors, tokenizer] = await Promise.all([
      fetched('config.json').then((response) => response.json() as Promise<ModelConfig>),
      fetched('model.safetensors').then((response) => response.arrayBuffer()),
      fetched('tokenizer.json').then((response) => response.text()),
    ]);
    return {
      modelConfig: llamaConfig(config),
      weights: readSafetensors(new Uint8Array(tensors), 'model.safetensors'),
      tokenizer: fromTokenizerJson(tokenizer),
    };
  }
}

async function release(entry: Cached): Promise<void> {
  try {
    (await entry.loaded).model.dispose();
  } catch {
    // It never loaded; whoever asked for it has been told.
  }
}

async function fetchFile(baseUrl: string, path: string): Promise<Response> {
  const file = path.split('/').slice(-2).join('/');
  const failed = (why: string): PlaygroundError =>
    new PlaygroundError({
      code: 'missing',
      field: file,
      message: `The base model's file ${file} could not be loaded: ${why}.`,
      remedy: 'Check the connection and reload the page, or choose another base model.',
    });
  let response: Response;
  try {
    response = await ownFile(baseUrl, path);
  } catch (thrown) {
    throw failed(thrown instanceof Error ? thrown.message : String(thrown));
  }
  if (!response.ok) throw failed(`the server answered ${response.status}`);
  return response;
}

/** Only the fields that the engine reads: a Hugging Face config.json has many more. */
function llamaConfig(file: ModelConfig): ModelConfig {
  return {
    vocab_size: file.vocab_size,
    hidden_size: file.hidden_size,
    intermediate_size: file.intermediate_size,
    num_hidden_layers: file.num_hidden_layers,
    num_attention_heads: file.num_attention_heads,
    num_key_value_heads: file.num_key_value_heads,
    max_position_embeddings: file.max_position_embeddings,
    rms_norm_eps: file.rms_norm_eps,
    rope_theta: file.rope_theta,
    tie_word_embeddings: file.tie_word_embeddings,
  };
}
