/**
 * A Llama (Touvron et al. 2023): pre-norm transformer with RMSNorm, rotary positions, grouped-query
 * attention and SwiGLU, as in transformers' `modeling_llama.py`. Rows are flattened: N = B·T.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { ModelConfig, WeightMap } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import { parameterShapes } from '../core/presets';
import { uploadTokens, type TokenBatch } from './batch';
import { attentionBlock, mlpBlock, type AttentionWeights, type MlpWeights } from './block';
import { dropAdded, type Dropout } from './dropout';
import { cachedAttention } from './ops/decode-attention';
import { embedding, embeddingRows } from './ops/embedding';
import type { KeyValueCache } from './ops/kv-cache';
import { linear } from './ops/linear';
import { rmsNorm } from './ops/rms-norm';
import { ropeAt, ropeTable, type RopeTable } from './ops/rope';
import { uploadFrozen } from './frozen';
import { uploadParameters } from './weights';

/** Training batches round T up to a multiple of 8; the table of angles covers the padding too. */
const T_MULTIPLE = 8;

type Layer = AttentionWeights & MlpWeights;

/** The first half of block `index`: x [N, C] plus its attention. */
type Attend = (x: tf.Tensor2D, layer: Layer, index: number) => tf.Tensor2D;

export class Llama {
  readonly config: ModelConfig;
  /** By Hugging Face name, linears [out, in]. */
  readonly parameters: ReadonlyMap<string, tf.Variable>;
  readonly headDim: number;
  private readonly layers: Layer[];
  private readonly table: RopeTable;

  private constructor(config: ModelConfig, parameters: Map<string, tf.Variable>) {
    this.config = config;
    this.parameters = parameters;
    this.headDim = config.hidden_size / config.num_attention_heads;
    this.layers = Array.from({ length: config.num_hidden_layers }, (_, i) => {
      const at = (name: string) => parameters.get(`model.layers.${i}.${name}.weight`)!;
      const matrix = (name: string) => at(name) as tf.Tensor as tf.Tensor2D;
      return {
        input_layernorm: at('input_layernorm') as tf.Tensor as tf.Tensor1D,
        q_proj: matrix('self_attn.q_proj'),
        k_proj: matrix('self_attn.k_proj'),
        v_proj: matrix('self_attn.v_proj'),
        o_proj: matrix('self_attn.o_proj'),
        post_attention_layernorm: at('post_attention_layernorm') as tf.Tensor as tf.Tensor1D,
        gate_proj: matrix('mlp.gate_proj'),
        up_proj: matrix('mlp.up_proj'),
        down_proj: matrix('mlp.down_proj'),
      };
    });
    const positions = Math.ceil(config.max_position_embeddings / T_MULTIPLE) * T_MULTIPLE;
    this.table = ropeTable(positions, this.headDim, config.rope_theta);
  }

  /**
   * Uploads a model.
   * @throws PlaygroundError 'format' naming a tensor that is missing, unknown or of another shape;
   *   'config' for head counts that do not divide
   */
  static load(config: ModelConfig, weights: WeightMap): Llama {
    checkHeads(config);
    return new Llama(config, uploadParameters(parameterShapes(config), weights));
  }

  /**
   * Uploads a model that is only read: matrices that 16 bits hold exactly take half the memory, and
   * give the same bits as those of `load`. No gradients, and no reading of its parameters.
   * @throws PlaygroundError as `load`
   */
  static loadFrozen(config: ModelConfig, weights: WeightMap): Llama {
    checkHeads(config);
    return new Llama(config, uploadParameters(parameterShapes(config), weights, uploadFrozen));
  }

  /**
   * Hidden states [N, C] after the final norm, at every position of a right-padded batch.
   * @param dropout of what each half of a block adds, in training
   * @throws PlaygroundError 'input' when a row is longer than `max_position_embeddings`
   */
  hiddenStates(batch: TokenBatch, dropout?: Dropout): tf.Tensor2D {
    return this.run(this.embed(batch), this.causal(batch), dropout);
  }

  /** Logits [N, V] for hidden states [N, C]; the output matrix may be the embedding (tied). */
  logits(hidden: tf.Tensor2D): tf.Tensor2D {
    return linear(hidden, this.matrix(this.config.tie_word_embeddings ? EMBEDDING : LM_HEAD));
  }

  /**
   * Reads prompts into an empty cache: logits [B, V] after the last token of each row.
   * No gradient.
   */
  prefill(batch: TokenBatch, cache: KeyValueCache): tf.Tensor2D {
    const { B, T, lengths } = batch;
    const causal = this.causal(batch, (index, k, v) => cache.fill(index, k, v, T));
    const hidden = this.run(this.embed(batch), causal);
    const last = tf.tensor1d(
      Int32Array.from({ length: B }, (_, b) => b * T + lengths[b]! - 1),
      'int32',
    );
    return this.logits(tf.gather(hidden, last));
  }

  /**
   * One more token for each row: `tokens` int32 [B] stand at `positions` int32 [B]. Appends to the
   * cache and returns the logits [B, V] of the tokens that follow. No gradient.
   */
  decode(tokens: tf.Tensor1D, positions: tf.Tensor1D, cache: KeyValueCache): tf.Tensor2D {
    const { table, headDim } = this;
    const embedded = embeddingRows(this.matrix(EMBEDDING), tokens);
    const hidden = this.run(embedded, (x, layer, index) => {
      const h = rmsNorm(x, layer.input_layernorm, this.config.rms_norm_eps);
      const k = ropeAt(linear(h, layer.k_proj), table, headDim, positions);
      cache.append(index, k, linear(h, layer.v_proj), positions);
      const q = ropeAt(linear(h, layer.q_proj), table, headDim, positions);
      return linear(cachedAttention(q, cache, index, positions), layer.o_proj, x);
    });
    return this.logits(hidden);
  }

  /** Frees all tensors of the model. */
  dispose(): void {
    for (const parameter of this.parameters.values()) parameter.dispose();
    tf.dispose([this.table.cos, this.table.sin]);
  }

  private matrix(name: string): tf.Tensor2D {
    return this.parameters.get(name)! as tf.Tensor as tf.Tensor2D;
  }

  private embed(batch: TokenBatch): tf.Tensor2D {
    const { max_position_embeddings: limit, vocab_size } = this.config;
    const long = batch.lengths.findIndex((length) => length > limit);
    if (long >= 0) {
      throw new PlaygroundError({
        code: 'input',
        message: `Row ${long} has ${batch.lengths[long]!} tokens; the model reads at most ${limit}.`,
        field: 'max_position_embeddings',
        remedy: 'Shorten the text or the completion length.',
      });
    }
    return embedding(this.matrix(EMBEDDING), uploadTokens(batch.input_ids, vocab_size));
  }

  /** Attention over a whole batch; `seen` gets the rotated keys and the values of each layer. */
  private causal(
    { B, T }: TokenBatch,
    seen?: (index: number, k: tf.Tensor2D, v: tf.Tensor2D) => void,
  ): Attend {
    const { num_attention_heads, num_key_value_heads, rms_norm_eps } = this.config;
    const shape = { B, T, num_attention_heads, num_key_value_heads };
    return (x, layer, index) =>
      attentionBlock(x, layer, {
        ...shape,
        table: this.table,
        rms_norm_eps,
        ...(seen !== undefined && { seen: (k, v) => seen(index, k, v) }),
      });
  }

  /** The transformer proper: [N, C] → [N, C]. */
  private run(embedded: tf.Tensor2D, attend: Attend, dropout?: Dropout): tf.Tensor2D {
    const eps = this.config.rms_norm_eps;
    const drop = (before: tf.Tensor2D, after: tf.Tensor2D, half: number): tf.Tensor2D =>
      dropout === undefined ? after : dropAdded(before, after, dropout, half);
    let x = embedded;
    this.layers.forEach((layer, index) => {
      x = drop(x, attend(x, layer, index), 2 * index);
      x = drop(x, mlpBlock(x, layer, eps), 2 * index + 1);
    });
    return rmsNorm(x, this.parameters.get('model.norm.weight')! as tf.Tensor as tf.Tensor1D, eps);
  }
}

const EMBEDDING = 'model.embed_tokens.weight';
const LM_HEAD = 'lm_head.weight';

function checkHeads(config: ModelConfig): void {
  const { hidden_size: C, num_attention_heads: H, num_key_value_heads: KV } = config;
  const wrong = (field: string, message: string) =>
    new PlaygroundError({ code: 'config', field, message, remedy: 'Correct config.json.' });
  if (C % H !== 0 || (C / H) % 2 !== 0) {
    throw wrong('num_attention_heads', `hidden_size ${C} must be an even multiple of ${H} heads.`);
  }
  if (H % KV !== 0) {
    throw wrong('num_key_value_heads', `${H} heads cannot share ${KV} key-value heads evenly.`);
  }
}
