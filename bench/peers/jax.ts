/** @jax-js/jax: whole steps compiled by `jit`, on webgpu or wasm. */
import { initialWeights } from '../../src/engine/weights';
import {
  ADAM,
  SIZES,
  tokenRows,
  trainingBatch,
  WEIGHT_SEED,
  type Contender,
  type DecodeWork,
  type MatmulWork,
  type Repeatable,
  type Timed,
  type Work,
} from '../work';
import {
  anglesOf,
  logitsOf,
  lossOf,
  parameters,
  type Angles,
  type Cache,
  type Parameters,
} from './jax-llama';
import type { Jax, JaxArray } from './jax-types';

/** @param jax the module, loaded from bench/peers/node_modules */
export async function openJax(jax: Jax, device: 'webgpu' | 'wasm'): Promise<Contender> {
  const available = await jax.init(device);
  if (!available.includes(device)) throw new Error(`jax-js has no ${device} here`);
  jax.defaultDevice(device);
  return {
    impl: device === 'webgpu' ? 'jax-js' : `jax-js, ${device}`,
    adapter: device,
    trainingStep: async (work) => trainingStep(jax, work),
    ...(device === 'webgpu' && {
      decoding: async (work: DecodeWork) => decoding(jax, work),
      matmul: async (work: MatmulWork) => matmul(jax, work),
    }),
  };
}

function trainingStep(jax: Jax, work: Work): Timed {
  const { numpy: np, tree } = jax;
  const config = SIZES[work.size];
  const { adam_beta1: b1, adam_beta2: b2, adam_epsilon: eps, learning_rate } = ADAM;
  const step = jax.jit(
    (
      p: Parameters,
      m: JaxArray[],
      v: JaxArray[],
      // [1 − β₁ᵗ, 1 − β₂ᵗ]
      corrections: JaxArray,
      angles: Angles,
      ids: JaxArray,
      targets: JaxArray,
    ) => {
      const loss = (q: Parameters) => lossOf(jax, config, q, angles, ids, targets);
      const [value, gradient] = jax.valueAndGrad(loss)(tree.ref(p));
      const gradients = tree.leaves(gradient);
      const c1 = corrections.ref.slice(0);
      const c2 = corrections.slice(1);
      const next = tree.leaves(p).map((parameter, i) => {
        const g = gradients[i]!;
        const mean = m[i]!.mul(b1).add(g.ref.mul(1 - b1));
        const square = v[i]!.mul(b2).add(np.square(g).mul(1 - b2));
        const size = np.sqrt(square.ref.div(c2.ref)).add(eps);
        const moved = parameter.sub(mean.ref.div(c1.ref).div(size).mul(learning_rate));
        return { moved, mean, square };
      });
      c1.dispose();
      c2.dispose();
      return {
        value,
        p: next.map(({ moved }) => moved),
        m: next.map(({ mean }) => mean),
        v: next.map(({ square }) => square),
      };
    },
  );
  const batch = trainingBatch(work);
  const ids = np.array(batch.ids).reshape([work.B, work.T]);
  const targets = np.array(batch.targets).reshape([work.B, work.T]);
  const angles = anglesOf(jax, config, work.T);
  let p = parameters(jax, config, initialWeights(config, WEIGHT_SEED));
  const structure = tree.structure(p);
  const zeros = () =>
    tree.leaves(tree.ref(p)).map((leaf) => {
      const zero = np.zeros(leaf.shape);
      leaf.dispose();
      return zero;
    });
  let m = zeros();
  let v = zeros();
  let t = 0;
  return {
    run: async () => {
      t++;
      const corrections = np.array([1 - b1 ** t, 1 - b2 ** t]);
      const result = step(p, m, v, corrections, tree.ref(angles), ids.ref, targets.ref);
      p = tree.unflatten(structure, result.p) as Parameters;
      m = result.m;
      v = result.v;
      const [loss] = Array.from(await result.value.data());
      // The loss is known before the weights have moved.
      await jax.blockUntilReady(result.p);
      return loss;
    },
    dispose: () => {
      tree.dispose([p, m, v, ids, targets, angles]);
      step.dispose();
    },
  };
}

/**
 * Decoding with a cache of static size and one compiled program for every token; sampling stays on the
 * device and everything is read back once.
 */
function decoding(jax: Jax, { size, B, prompt, tokens }: DecodeWork): Timed {
  const { numpy: np, nn, random, tree } = jax;
  const config = SIZES[size];
  const { hidden_size: C, num_attention_heads: H, vocab_size: V } = config;
  const S = prompt + tokens;

  /** Draws [B] tokens from logits [B, V]; their log-probabilities; the next key. */
  const sample = (logits: JaxArray, key: JaxArray) => {
    const keys = random.split(key, 2);
    const token = random.categorical(keys.ref.slice(0), logits.ref).astype(np.int32);
    const chosen = nn.oneHot(token.ref, V).astype(np.float32);
    return {
      token,
      logprob: nn.logSoftmax(logits, -1).mul(chosen).sum(-1),
      key: keys.slice(1),
    };
  };

  const prefill = jax.jit((p: Parameters, angles: Angles, ids: JaxArray, key: JaxArray) => {
    const caches: Cache[] = [];
    const embedded = np.take(p.embed.ref, ids, 0);
    const padded = (x: JaxArray) => np.concatenate([x, np.zeros([B, tokens, H, C / H])], 1);
    const logits = logitsOf(jax, config, p, angles, embedded, {
      lastOnly: true,
      attend: (q, k, v, index) => {
        caches[index] = { k: padded(k.ref), v: padded(v.ref) };
        return nn.dotProductAttention(q, k, v, { isCausal: true });
      },
    });
    return { ...sample(logits, key), caches };
  });

  const next = jax.jit(
    (
      p: Parameters,
      caches: Cache[],
      // [1], the place of `token` in its row
      position: JaxArray,
      angles: Angles,
      token: JaxArray,
      key: JaxArray,
    ) => {
      const grown: Cache[] = [];
      const here = nn.oneHot(position.ref, S).astype(np.float32).reshape([1, S, 1, 1]);
      const put = (cache: JaxArray, x: JaxArray) =>
        cache.mul(here.ref.neg().add(1)).add(x.mul(here.ref));
      const embedded = np.take(p.embed.ref, token, 0).reshape([B, 1, C]);
      const seen = position.add(1);
      const logits = logitsOf(jax, config, p, angles, embedded, {
        lastOnly: true,
        attend: (q, k, v, index) => {
          const cache = { k: put(caches[index]!.k, k), v: put(caches[index]!.v, v) };
          grown[index] = tree.ref(cache);
          return nn.dotProductAttention(q, cache.k, cache.v, { keyValueSeqLengths: seen.ref });
        },
      });
      here.dispose();
      seen.dispose();
      return { ...sample(logits, key), caches: grown };
    },
  );

  const p = parameters(jax, config, initialWeights(config, WEIGHT_SEED));
  const ids = np.array(Int32Array.from(tokenRows(B, prompt, V).flat())).reshape([B, prompt]);
  const all = anglesOf(jax, config, S);
  const anglesAt = (from: number, to: number): Angles => ({
    cos: all.cos.ref.slice([from, to], [], []),
    sin: all.sin.ref.slice([from, to], [], []),
  });
  return {
    run: async () => {
      let state = prefill(tree.ref(p), anglesAt(0, prompt), ids.ref, random.key(1));
      const written = [state.token.ref];
      const logprobs = [state.logprob];
      for (let i = prompt; i < S - 1; i++) {
        const position = np.array(Int32Array.of(i));
        const angles = anglesAt(i, i + 1);
        state = next(tree.ref(p), state.caches, position, angles, state.token, state.key);
        written.push(state.token.ref);
        logprobs.push(state.logprob);
      }
      tree.dispose([state.caches, state.token, state.key]);
      const read = [np.stack(written, 1).data(), np.stack(logprobs, 1).data()];
      await Promise.all(read);
      return undefined;
    },
    dispose: () => {
      tree.dispose([p, ids, all]);
      prefill.dispose();
      next.dispose();
    },
  };
}

/** Results kept on the device until they have been waited for. */
const PRODUCTS_AT_ONCE = 64;

function matmul({ numpy: np, jit, blockUntilReady }: Jax, { N, K, M }: MatmulWork): Repeatable {
  const ramp = (n: number) => Float32Array.from({ length: n }, (_, i) => ((i * 7) % 13) / 13 - 0.5);
  const x = np.array(ramp(N * K)).reshape([N, K]);
  const w = np.array(ramp(K * M)).reshape([K, M]);
  const product = jit((a: JaxArray, b: JaxArray) => np.matmul(a, b));
  return {
    repeat: async (times) => {
      // Arrays that are given away before they were computed never are: so they are waited for.
      for (let left = times; left > 0; left -= PRODUCTS_AT_ONCE) {
        const count = Math.min(left, PRODUCTS_AT_ONCE);
        const products = Array.from({ length: count }, () => product(x.ref, w.ref));
        await blockUntilReady(products);
        for (const done of products) done.dispose();
      }
    },
    dispose: () => {
      x.dispose();
      w.dispose();
      product.dispose();
    },
  };
}
