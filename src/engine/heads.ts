/** Reward and value models: a Llama trunk with a scalar head in place of the output matrix. */
import type * as tf from '@tensorflow/tfjs-core';
import type { HostTensor, ModelConfig, WeightMap } from '../core/domain';
import { gaussian, STREAM } from '../core/rng';
import type { TokenBatch } from './batch';
import { Llama } from './model';
import { scoreHead } from './ops/score-head';
import { uploadParameters } from './weights';

const SCORE_WEIGHT = 'score.weight';
const SCORE_BIAS = 'score.bias';
const FINAL_NORM = 'model.norm.weight';

/**
 * `LlamaForSequenceClassification` with one label, plus a bias (Hugging Face has none; InstructGPT's
 * reward model has one, and normalising the reward shifts it).
 */
export class ScalarModel {
  readonly config: ModelConfig;
  /** Trunk by Hugging Face name, unless it is another model's; `score.weight` [1, C], `score.bias` [1]. */
  readonly parameters: ReadonlyMap<string, tf.Variable>;
  private readonly trunk: Llama;
  private readonly head: ReadonlyMap<string, tf.Variable>;
  private readonly ownsTrunk: boolean;

  private constructor(trunk: Llama, head: Map<string, tf.Variable>, ownsTrunk: boolean) {
    this.config = trunk.config;
    this.trunk = trunk;
    this.head = head;
    this.ownsTrunk = ownsTrunk;
    this.parameters = new Map([...(ownsTrunk ? trunk.parameters : []), ...head]);
  }

  /**
   * Loads a trunk (policy weights will do: `lm_head.weight` is left out) and its head. Without
   * `score.weight` the head starts normal with std 1/√(C+1), bias 0 (Stiennon et al. 2020,
   * appendix B; lm-human-preferences), for hidden states of unit size: a final norm whose gain is
   * larger, as in small tied models, divides it, so that first scores are of order 1 all the same.
   * @throws PlaygroundError 'format' naming a tensor that is missing, unknown or of another shape
   */
  static load(config: ModelConfig, weights: WeightMap, seed: number): ScalarModel {
    const trunkWeights: WeightMap = new Map(weights);
    for (const name of ['lm_head.weight', SCORE_WEIGHT, SCORE_BIAS]) trunkWeights.delete(name);
    const head = uploadHead(config.hidden_size, weights, seed);
    try {
      // Tied: the trunk has no output matrix of its own.
      const trunk = Llama.load({ ...config, tie_word_embeddings: true }, trunkWeights);
      return new ScalarModel(trunk, head, true);
    } catch (thrown) {
      for (const tensor of head.values()) tensor.dispose();
      throw thrown;
    }
  }

  /**
   * A head on a model that is there already and stays its owner's: only the head is among
   * `parameters` and freed.
   * @param weights those of the trunk, for the size of a new head; a `score.weight` in it is taken
   */
  static onTrunk(trunk: Llama, weights: WeightMap, seed: number): ScalarModel {
    return new ScalarModel(trunk, uploadHead(trunk.config.hidden_size, weights, seed), false);
  }

  /** A score at every position [N]; what padding scores means nothing. */
  scoresAt(batch: TokenBatch): tf.Tensor1D {
    const weight = this.head.get(SCORE_WEIGHT)! as tf.Tensor as tf.Tensor2D;
    const bias = this.head.get(SCORE_BIAS)! as tf.Tensor as tf.Tensor1D;
    return scoreHead(this.trunk.hiddenStates(batch), weight, bias);
  }

  /** Frees all tensors that are its own. */
  dispose(): void {
    if (this.ownsTrunk) this.trunk.dispose();
    for (const tensor of this.head.values()) tensor.dispose();
  }
}

function uploadHead(C: number, weights: WeightMap, seed: number): Map<string, tf.Variable> {
  const shapes = new Map([
    [SCORE_WEIGHT, [1, C]],
    [SCORE_BIAS, [1]],
  ]);
  const head = new Map([
    [SCORE_WEIGHT, weights.get(SCORE_WEIGHT) ?? initialScore(weights.get(FINAL_NORM), C, seed)],
    [SCORE_BIAS, weights.get(SCORE_BIAS) ?? { shape: [1], data: new Float32Array(1) }],
  ]);
  return uploadParameters(shapes, head);
}

function initialScore(norm: HostTensor | undefined, C: number, seed: number): HostTensor {
  const squares = (norm?.data ?? Float32Array.of(1)).reduce((sum, gain) => sum + gain * gain, 0);
  const size = Math.sqrt(squares / (norm?.data.length ?? 1));
  const std = 1 / (Math.sqrt(C + 1) * size);
  const data = Float32Array.from({ length: C }, (_, i) => std * gaussian(seed, STREAM.head, i));
  return { shape: [1, C], data };
}
