import { openJax } from '../peers/jax';
import type { Jax } from '../peers/jax-types';
import { offer } from './frames';

const FILE = '/bench/peers/node_modules/@jax-js/jax/dist/index.js';

offer(async (device) => {
  const jax = (await import(/* @vite-ignore */ FILE)) as Jax;
  return openJax(jax, device as 'webgpu' | 'wasm');
});
