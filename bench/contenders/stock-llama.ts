/**
 * The same Llama, loss and Adam as a TensorFlow.js user would write them, in stock ops and with
 * `tf.train.adam`. Same shapes, same parameters.
 */
import * as tf from '@tensorflow/tfjs-core';
import { AdamOptimizer } from '@tensorflow/tfjs-core/dist/optimizers/adam_optimizer';
import type { ModelConfig, WeightMap } from '../../src/core/domain';
import { ADAM } from '../work';

export interface StockOptions {
  /** One-hot × table instead of a gather: the wasm backend has no gradient for a gather. */
  oneHotEmbedding: boolean;
}

export class StockLlama {
  private readonly config: ModelConfig;
  private readonly parameters: Map<string, tf.Variable>;
  private readonly optimizer = new AdamOptimizer(
    ADAM.learning_rate,
    ADAM.adam_beta1,
    ADAM.adam_beta2,
    ADAM.adam_epsilon,
  );
  private readonly cos: tf.Tensor4D;
  private readonly sin: tf.Tensor4D;
  private readonly mask: tf.Tensor2D;
  private readonly T: number;
  private readonly options: StockOptions;

  constructor(config: ModelConfig, weights: WeightMap, T: number, options: StockOptions) {
    this.config = config;
    this.T = T;
    this.options = options;
    this.parameters = new Map(
      [...weights].map(([name, { shape, data }]) => [name, tf.variable(tf.tensor(data, shape))]),
    );
    const half = config.hidden_size / config.num_attention_heads / 2;
    const angles = tf.outerProduct(
      tf.range(0, T),
      tf.pow<tf.Tensor1D>(config.rope_theta, tf.div(tf.range(0, half), -half)),
    );
    this.cos = tf.reshape(tf.cos(angles), [1, 1, T, half]);
    this.sin = tf.reshape(tf.sin(angles), [1, 1, T, half]);
    const lower: tf.Tensor2D = tf.linalg.bandPart(tf.ones([T, T]), -1, 0);
    this.mask = tf.mul(tf.sub(lower, 1), 1e9);
  }

  /** One training step on ids and targets int32 [B, T]; resolves to the loss, nats per token. */
  async step(ids: tf.Tensor2D, targets: tf.Tensor2D): Promise<number> {
    const loss = this.optimizer.minimize(() => this.loss(ids, targets), true)!;
    const [value] = await loss.data();
    loss.dispose();
    return value!;
  }

  /** Logits [B·T, V] of ids int32 [B, T]. */
  logits(ids: tf.Tensor2D): tf.Tensor2D {
    const { T, config } = this;
    const { hidden_size: C, num_attention_heads: H, rms_norm_eps } = config;
    const B = ids.shape[0];
    const hd = C / H;
    const norm = (x: tf.Tensor, name: string) =>
      tf.mul(
        tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), rms_norm_eps))),
        this.at(name),
      );
    const project = (x: tf.Tensor, name: string) => tf.matMul(x, this.at(name), false, true);
    const heads = (x: tf.Tensor) => tf.transpose(tf.reshape(x, [B, T, H, hd]), [0, 2, 1, 3]);
    const rotate = (x: tf.Tensor) => {
      const [a, b] = tf.split(x, 2, -1) as [tf.Tensor, tf.Tensor];
      return tf.concat(
        [
          tf.sub(tf.mul(a, this.cos), tf.mul(b, this.sin)),
          tf.add(tf.mul(b, this.cos), tf.mul(a, this.sin)),
        ],
        -1,
      );
    };
    let x = this.embed(ids);
    for (let i = 0; i < config.num_hidden_layers; i++) {
      const layer = `model.layers.${i}`;
      const h = norm(x, `${layer}.input_layernorm.weight`);
      const q = rotate(heads(project(h, `${layer}.self_attn.q_proj.weight`)));
      const k = rotate(heads(project(h, `${layer}.self_attn.k_proj.weight`)));
      const v = heads(project(h, `${layer}.self_attn.v_proj.weight`));
      const scores = tf.add(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(hd)), this.mask);
      const mixed = tf.matMul(tf.softmax(scores), v);
      const merged = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [B * T, C]);
      x = tf.add(x, project(merged, `${layer}.self_attn.o_proj.weight`));
      const h2 = norm(x, `${layer}.post_attention_layernorm.weight`);
      const gate = project(h2, `${layer}.mlp.gate_proj.weight`);
      const up = project(h2, `${layer}.mlp.up_proj.weight`);
      const inner = tf.mul(tf.mul(gate, tf.sigmoid(gate)), up);
      x = tf.add(x, project(inner, `${layer}.mlp.down_proj.weight`));
    }
    return project(norm(x, 'model.norm.weight'), EMBEDDING) as tf.Tensor2D;
  }

  dispose(): void {
    this.optimizer.dispose();
    tf.dispose([this.cos, this.sin, this.mask, ...this.parameters.values()]);
  }

  private embed(ids: tf.Tensor2D): tf.Tensor {
    const flat = tf.reshape(ids, [ids.size]);
    if (!this.options.oneHotEmbedding) return tf.gather(this.at(EMBEDDING), flat);
    const oneHot = tf.cast(tf.oneHot(flat, this.config.vocab_size), 'float32');
    return tf.matMul(oneHot, this.at(EMBEDDING));
  }

  private loss(ids: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar {
    const logprobs = tf.logSoftmax(this.logits(ids));
    const oneHot = tf.oneHot(tf.reshape(targets, [targets.size]), this.config.vocab_size);
    return tf.neg(tf.mean(tf.sum(tf.mul(logprobs, tf.cast(oneHot, 'float32')), -1)));
  }

  private at(name: string): tf.Variable {
    return this.parameters.get(name)!;
  }
}

const EMBEDDING = 'model.embed_tokens.weight';
