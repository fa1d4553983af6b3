/**
 * Floating-point operations of a Llama, counted as usual: a multiplication and an addition are two.
 * Only matrix products count, each once: a product that a kernel computes again in its backward pass
 * (attention, from the log-sum-exp) is not counted again.
 */
import type { ModelConfig } from '../src/core/domain';

/** `count` matrix products [B·T, K] × [K, M] in one forward pass. */
export interface Product {
  K: number;
  M: number;
  count: number;
}

/** Products of the bias-free linears of one forward pass, those of one shape together. */
export function linearProducts(config: ModelConfig): Product[] {
  const { hidden_size: C, intermediate_size: F, vocab_size: V, num_hidden_layers: L } = config;
  const kv = (C / config.num_attention_heads) * config.num_key_value_heads;
  const all: Product[] = [
    { K: C, M: C, count: 2 * L }, // q_proj, o_proj
    { K: C, M: kv, count: 2 * L }, // k_proj, v_proj
    { K: C, M: F, count: 2 * L }, // gate_proj, up_proj
    { K: F, M: C, count: L }, // down_proj
    { K: C, M: V, count: 1 }, // the output matrix
  ];
  const merged = new Map<string, Product>();
  for (const { K, M, count } of all) {
    const key = `${K}×${M}`;
    merged.set(key, { K, M, count: count + (merged.get(key)?.count ?? 0) });
  }
  return [...merged.values()];
}

/**
 * One forward pass over [B, T]: 2·B·T·Σ K·M for the linears; 4·C for each of the B·T·(T+1)/2 pairs of
 * a query and a key that it sees, in each layer (q·kᵀ and p·v).
 */
export function forwardFlops(config: ModelConfig, B: number, T: number): number {
  const weights = linearProducts(config).reduce((sum, { K, M, count }) => sum + K * M * count, 0);
  const pairs = (B * T * (T + 1)) / 2;
  return 2 * B * T * weights + 4 * config.hidden_size * pairs * config.num_hidden_layers;
}

/** One training step: the backward pass has two products for each one of the forward pass. */
export function stepFlops(config: ModelConfig, B: number, T: number): number {
  return 3 * forwardFlops(config, B, T);
}

/**
 * The rate that a model's linears would reach if each ran at the bare rate of its shape: total work by
 * total time.
 * @param rates GFLOP/s of each product, in the order of `products`
 */
export function weightedRate(products: readonly Product[], rates: readonly number[]): number {
  let work = 0;
  let time = 0;
  products.forEach(({ K, M, count }, i) => {
    work += K * M * count;
    time += (K * M * count) / rates[i]!;
  });
  return work / time;
}
