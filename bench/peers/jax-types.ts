/**
 * What we use of @jax-js/jax 0.1.25, written down here so that the repository type-checks where the
 * peers are not installed. Arrays are owned: passing one into a function gives it away, `.ref` keeps it.
 */
export interface JaxArray {
  readonly shape: number[];
  readonly ref: JaxArray;
  add(other: JaxArray | number): JaxArray;
  sub(other: JaxArray | number): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  div(other: JaxArray | number): JaxArray;
  neg(): JaxArray;
  sum(axis?: number): JaxArray;
  mean(axis?: number, options?: { keepdims: boolean }): JaxArray;
  reshape(shape: number[]): JaxArray;
  transpose(permutation?: number[]): JaxArray;
  astype(dtype: string): JaxArray;
  slice(...index: (number | [] | [number] | [number, number] | null)[]): JaxArray;
  data(): Promise<ArrayLike<number>>;
  dispose(): void;
}

/** Arrays in arrays and objects. */
export type Tree = JaxArray | readonly Tree[] | { readonly [name: string]: Tree };

export interface Jax {
  init(...devices: string[]): Promise<string[]>;
  defaultDevice(device: string): string;
  getWebGPUDevice(): GPUDevice;
  blockUntilReady<T extends Tree>(this: void, tree: T): Promise<T>;
  jit<A extends Tree[], R extends Tree>(this: void, f: (...args: A) => R): Jitted<A, R>;
  valueAndGrad<A extends Tree[]>(
    f: (...args: A) => JaxArray,
  ): (...args: A) => [value: JaxArray, gradient: A[0]];
  tree: {
    leaves(tree: Tree): JaxArray[];
    structure(tree: Tree): unknown;
    unflatten(structure: unknown, leaves: JaxArray[]): Tree;
    map<T extends Tree>(f: (x: JaxArray) => JaxArray, tree: T): T;
    ref<T extends Tree>(tree: T): T;
    dispose(tree: Tree): void;
  };
  numpy: {
    int32: string;
    float32: string;
    array(data: Float32Array | Int32Array | number[] | number): JaxArray;
    zeros(shape: number[]): JaxArray;
    matmul(x: JaxArray, y: JaxArray): JaxArray;
    sqrt(x: JaxArray): JaxArray;
    square(x: JaxArray): JaxArray;
    reciprocal(x: JaxArray): JaxArray;
    cos(x: JaxArray): JaxArray;
    sin(x: JaxArray): JaxArray;
    split(x: JaxArray, sections: number, axis: number): JaxArray[];
    concatenate(xs: JaxArray[], axis: number): JaxArray;
    stack(xs: JaxArray[], axis: number): JaxArray;
    take(x: JaxArray, indices: JaxArray, axis: number): JaxArray;
  };
  nn: {
    silu(x: JaxArray): JaxArray;
    logSoftmax(x: JaxArray, axis: number): JaxArray;
    oneHot(x: JaxArray, classes: number): JaxArray;
    dotProductAttention(
      query: JaxArray,
      key: JaxArray,
      value: JaxArray,
      options: { isCausal?: boolean; keyValueSeqLengths?: JaxArray },
    ): JaxArray;
  };
  random: {
    key(seed: number): JaxArray;
    split(key: JaxArray, count: number): JaxArray;
    categorical(key: JaxArray, logits: JaxArray): JaxArray;
  };
}

/** Frees its compiled program and constants. */
export interface Jitted<A extends Tree[], R extends Tree> {
  (...args: A): R;
  dispose(): void;
}
