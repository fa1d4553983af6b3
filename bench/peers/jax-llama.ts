/** Our Llama as a user of jax-js would write it, for `jit` of a whole step. */
import type { ModelConfig, WeightMap } from '../../src/core/domain';
import type { Jax, JaxArray } from './jax-types';

// `type`, not `interface`: trees need an index signature.
type Layer = {
  norm1: JaxArray;
  q: JaxArray;
  k: JaxArray;
  v: JaxArray;
  o: JaxArray;
  norm2: JaxArray;
  gate: JaxArray;
  up: JaxArray;
  down: JaxArray;
};
export type Parameters = { embed: JaxArray; layers: Layer[]; norm: JaxArray };
/** Cosine and sine of the angles of positions, [T, 1, head dim / 2] each. */
export type Angles = { cos: JaxArray; sin: JaxArray };
/** Keys and values of one layer, [B, S, H, head dim]. */
export type Cache = { k: JaxArray; v: JaxArray };

/** The weights of `initialWeights`; linears transposed to [in, out], as jax-js multiplies fastest. */
export function parameters(
  { numpy: np }: Jax,
  config: ModelConfig,
  weights: WeightMap,
): Parameters {
  const vector = (name: string) => np.array(weights.get(name)!.data.slice());
  const linear = (name: string) => {
    const { shape, data } = weights.get(name)!;
    const [out, into] = shape as [number, number];
    const transposed = new Float32Array(data.length);
    for (let o = 0; o < out; o++) {
      for (let i = 0; i < into; i++) transposed[i * out + o] = data[o * into + i]!;
    }
    return np.array(transposed).reshape([into, out]);
  };
  const embedding = weights.get('model.embed_tokens.weight')!;
  return {
    embed: np.array(embedding.data.slice()).reshape(embedding.shape),
    norm: vector('model.norm.weight'),
    layers: Array.from({ length: config.num_hidden_layers }, (_, i): Layer => {
      const at = (name: string) => `model.layers.${i}.${name}.weight`;
      return {
        norm1: vector(at('input_layernorm')),
        q: linear(at('self_attn.q_proj')),
        k: linear(at('self_attn.k_proj')),
        v: linear(at('self_attn.v_proj')),
        o: linear(at('self_attn.o_proj')),
        norm2: vector(at('post_attention_layernorm')),
        gate: linear(at('mlp.gate_proj')),
        up: linear(at('mlp.up_proj')),
        down: linear(at('mlp.down_proj')),
      };
    }),
  };
}

/** Angles of positions 0 … T − 1. */
export function anglesOf({ numpy: np }: Jax, config: ModelConfig, T: number): Angles {
  const half = config.hidden_size / config.num_attention_heads / 2;
  const table = (f: (x: number) => number) => {
    const data = new Float32Array(T * half);
    for (let t = 0; t < T; t++) {
      for (let i = 0; i < half; i++) data[t * half + i] = f(t * config.rope_theta ** (-i / half));
    }
    return np.array(data).reshape([T, 1, half]);
  };
  return { cos: table(Math.cos), sin: table(Math.sin) };
}

/** q, k, v [B, T, H, head dim] of layer `index`, rotated → the mixed values of the same shape. */
type Attend = (q: JaxArray, k: JaxArray, v: JaxArray, index: number) => JaxArray;

/**
 * Embedded tokens [B, T, C] → logits [B·T, V], or [B, V] of the last position.
 * Takes ownership of all its arguments.
 */
export function logitsOf(
  { numpy: np, nn }: Jax,
  config: ModelConfig,
  p: Parameters,
  angles: Angles,
  embedded: JaxArray,
  options: { lastOnly: boolean; attend?: Attend },
): JaxArray {
  const { hidden_size: C, num_attention_heads: H } = config;
  const [B, T] = embedded.shape as [number, number];
  const N = B * T;
  const norm = (x: JaxArray, gain: JaxArray) => {
    const mean = np.square(x.ref).mean(-1, { keepdims: true });
    return x.mul(np.reciprocal(np.sqrt(mean.add(config.rms_norm_eps)))).mul(gain);
  };
  const rotate = (x: JaxArray) => {
    const [a, b] = np.split(x, 2, 3) as [JaxArray, JaxArray];
    const { cos, sin } = angles;
    return np.concatenate(
      [a.ref.mul(cos.ref).sub(b.ref.mul(sin.ref)), b.mul(cos.ref).add(a.mul(sin.ref))],
      3,
    );
  };
  const causal: Attend = (q, k, v) => nn.dotProductAttention(q, k, v, { isCausal: true });
  const attend = options.attend ?? causal;
  const heads = (x: JaxArray) => x.reshape([B, T, H, C / H]);
  let x = embedded.reshape([N, C]);
  p.layers.forEach((layer, index) => {
    const h = norm(x.ref, layer.norm1);
    const q = rotate(heads(np.matmul(h.ref, layer.q)));
    const k = rotate(heads(np.matmul(h.ref, layer.k)));
    const v = heads(np.matmul(h, layer.v));
    x = x.add(np.matmul(attend(q, k, v, index).reshape([N, C]), layer.o));
    const m = norm(x.ref, layer.norm2);
    const gated = nn.silu(np.matmul(m.ref, layer.gate)).mul(np.matmul(m, layer.up));
    x = x.add(np.matmul(gated, layer.down));
  });
  angles.cos.dispose();
  angles.sin.dispose();
  if (options.lastOnly) x = x.reshape([B, T, C]).slice([], T - 1, []);
  return np.matmul(norm(x, p.norm), p.embed.transpose());
}

/** Mean cross-entropy, nats per token. A one-hot product embeds: a gather has no gradient there. */
export function lossOf(
  jax: Jax,
  config: ModelConfig,
  p: Parameters,
  angles: Angles,
  ids: JaxArray,
  targets: JaxArray,
): JaxArray {
  const { numpy: np, nn } = jax;
  const { vocab_size: V, hidden_size: C } = config;
  const [B, T] = ids.shape as [number, number];
  const oneHot = nn.oneHot(ids.reshape([B * T]), V).astype(np.float32);
  const embedded = np.matmul(oneHot, p.embed.ref).reshape([B, T, C]);
  const logits = logitsOf(jax, config, p, angles, embedded, { lastOnly: false });
  const wanted = nn.oneHot(targets.reshape([B * T]), V).astype(np.float32);
  return nn.logSoftmax(logits, -1).mul(wanted).sum(-1).mean().neg();
}
