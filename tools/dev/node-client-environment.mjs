/**
 * Node as vitest's test environment, with modules compiled as for a browser: Svelte's compiler
 * makes rune classes inert when it compiles for a server, which is what vitest's own `node`
 * environment asks for.
 * @type {import('vitest/runtime').Environment}
 */
export default {
  name: 'node-client',
  viteEnvironment: 'client',
  setup: () => ({ teardown() {} }),
};
