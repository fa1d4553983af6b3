import type { ModelConfig } from './domain';

export type PresetName = 'nano' | 'tiny' | 'small';

const llama = {
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: true,
} as const;

/** Model sizes. Parameter counts include the tied embedding once. */
export const PRESETS: Record<PresetName, ModelConfig> = {
  /** 0.13 M parameters: tests, the demo on weak machines. */
  nano: {
    ...llama,
    vocab_size: 512,
    hidden_size: 64,
    intermediate_size: 176,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 4,
    max_position_embeddings: 128,
  },
  /** 1.05 M parameters: workshops. */
  tiny: {
    ...llama,
    vocab_size: 2048,
    hidden_size: 128,
    intermediate_size: 344,
    num_hidden_layers: 4,
    num_attention_heads: 4,
    num_key_value_heads: 4,
    max_position_embeddings: 256,
  },
  /** 5.3 M parameters: laptops with a good GPU. */
  small: {
    ...llama,
    vocab_size: 2048,
    hidden_size: 256,
    intermediate_size: 688,
    num_hidden_layers: 6,
    num_attention_heads: 8,
    num_key_value_heads: 8,
    max_position_embeddings: 256,
  },
};

export const isPreset = (name: unknown): name is PresetName =>
  typeof name === 'string' && Object.hasOwn(PRESETS, name);

/** Shapes of all parameters by Hugging Face name; linears are [out, in]. */
export function parameterShapes(config: ModelConfig): Map<string, number[]> {
  const { hidden_size: C, intermediate_size: F, vocab_size: V } = config;
  const headDim = C / config.num_attention_heads;
  const kv = headDim * config.num_key_value_heads;
  const shapes = new Map<string, number[]>([['model.embed_tokens.weight', [V, C]]]);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `model.layers.${i}`;
    shapes.set(`${layer}.input_layernorm.weight`, [C]);
    shapes.set(`${layer}.self_attn.q_proj.weight`, [C, C]);
    shapes.set(`${layer}.self_attn.k_proj.weight`, [kv, C]);
    shapes.set(`${layer}.self_attn.v_proj.weight`, [kv, C]);
    shapes.set(`${layer}.self_attn.o_proj.weight`, [C, C]);
    shapes.set(`${layer}.post_attention_layernorm.weight`, [C]);
    shapes.set(`${layer}.mlp.gate_proj.weight`, [F, C]);
    shapes.set(`${layer}.mlp.up_proj.weight`, [F, C]);
    shapes.set(`${layer}.mlp.down_proj.weight`, [C, F]);
  }
  shapes.set('model.norm.weight', [C]);
  if (!config.tie_word_embeddings) shapes.set('lm_head.weight', [V, C]);
  return shapes;
}

/** Number of parameters of the policy. */
export function countParameters(config: ModelConfig): number {
  let total = 0;
  for (const shape of parameterShapes(config).values()) total += shape.reduce((a, b) => a * b, 1);
  return total;
}
