/**
 * A lint rule that reports nothing looks like a clean code base. So every rule is shown one
 * violation here and has to report it, and one clean sample and has to let it pass.
 */
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import typescript from 'typescript-eslint';
import { describe, expect, test } from 'vitest';

const cwd = fileURLToPath(new URL('../../..', import.meta.url));

/** For files that exist only in this test: everything but the rules that need type information. */
const virtual = new ESLint({ cwd, overrideConfig: [typescript.configs.disableTypeChecked] });
/** For rules that need types: the text stands in for a file that exists. */
const typed = new ESLint({ cwd });

async function findings(eslint: ESLint, filePath: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath });
  if (result === undefined) throw new Error(`${filePath} is ignored by the lint configuration`);
  return result.messages.map(({ ruleId, message }) => ruleId ?? message);
}

/** The import table of docs/architecture.md, in the words of the design: importer → imported. */
const FILES = {
  core: 'src/core/planted',
  tokenizer: 'src/tokenizer/planted',
  engine: 'src/engine/ops/planted',
  rlhf: 'src/rlhf/planted',
  formats: 'src/formats/planted',
  storage: 'src/storage/planted',
  protocol: 'src/worker/protocol',
  client: 'src/worker/client',
  worker: 'src/worker/train.worker',
  state: 'src/state/planted.svelte',
  ui: 'src/ui/stages/planted',
  root: 'src/main',
  sw: 'src/sw',
} as const;
type Room = keyof typeof FILES;
const ROOMS = Object.keys(FILES) as Room[];

const ALLOWED: Record<Room, readonly Room[]> = {
  core: ['core'],
  tokenizer: ['core', 'tokenizer'],
  engine: ['core', 'engine'],
  rlhf: ['core', 'tokenizer', 'engine', 'rlhf'],
  formats: ['core', 'tokenizer', 'formats'],
  storage: ['core', 'storage'],
  protocol: ['core', 'protocol'],
  client: ['core', 'protocol', 'client'],
  worker: ['core', 'tokenizer', 'engine', 'rlhf', 'formats', 'storage', 'protocol', 'worker'],
  state: ['core', 'tokenizer', 'formats', 'storage', 'client', 'state'],
  ui: ['core', 'state', 'ui'],
  root: ['core', 'state', 'ui', 'root'],
  sw: ['core', 'sw'],
};

const BOUNDARY = 'boundaries/dependencies';
/** How `from` would write an import of `to`, from two or three folders down. */
const pathTo = (from: Room, to: Room): string => {
  const up = '../'.repeat(FILES[from].split('/').length - 2) || './';
  return up + FILES[to].replace('src/', '');
};

describe('the import table', () => {
  test.each(ROOMS)('%s imports what the table allows, and nothing else', async (from) => {
    const reported: Room[] = [];
    for (const to of ROOMS) {
      const code = `import { x } from '${pathTo(from, to)}';\nexport const y = x;\n`;
      const rules = await findings(virtual, `${FILES[from]}.ts`, code);
      if (rules.includes(BOUNDARY)) reported.push(to);
      expect(rules.filter((rule) => rule !== BOUNDARY)).toEqual([]);
    }
    expect(reported).toEqual(ROOMS.filter((to) => !ALLOWED[from].includes(to)));
  });

  test.each([
    [
      'a component',
      'src/ui/Planted.svelte',
      `<script lang="ts">import '../engine/model';</script>`,
    ],
    ['a re-export', 'src/core/planted.ts', `export { x } from '../ui/x';\nexport const y = 1;`],
    ['import()', 'src/core/planted.ts', `export const x = import('../engine/model');`],
    [
      'an import type',
      'src/core/planted.ts',
      `import type { X } from '../engine/x';\nexport type Y = X;`,
    ],
    ['import("…").X', 'src/core/planted.ts', `export type Y = import('../engine/x').X;`],
    ['?raw', 'src/core/planted.ts', `import x from '../engine/a.wgsl?raw';\nexport const y = x;`],
  ])('holds for %s, too', async (_form, file, code) => {
    expect(await findings(virtual, file, code)).toContain(BOUNDARY);
  });

  test('state takes types from the worker protocol, not values', async () => {
    const file = 'src/state/planted.ts';
    const source = `'../worker/protocol'`;
    const type = `import type { Command } from ${source};\nexport type X = Command;\n`;
    const value = `import { command } from ${source};\nexport const x = command;\n`;
    expect(await findings(virtual, file, type)).toEqual([]);
    expect(await findings(virtual, file, value)).toEqual([BOUNDARY]);
  });

  test('a file in no room is reported', async () => {
    expect(await findings(virtual, 'src/planted.ts', 'export const x = 1;\n')).toContain(
      'boundaries/no-unknown-files',
    );
    expect(await findings(virtual, 'src/planted/x.ts', 'export const x = 1;\n')).toContain(
      'boundaries/no-unknown-files',
    );
  });

  test.each([
    ['src/ui/planted.ts', '@tensorflow/tfjs'],
    ['src/rlhf/planted.ts', '@tensorflow/tfjs-core'],
    ['src/rlhf/planted.ts', '@tensorflow/tfjs-core/dist/tensor'],
    ['src/worker/train.worker.ts', '@tensorflow/tfjs-backend-webgpu'],
    ['src/core/planted.ts', 'svelte'],
    ['src/core/planted.ts', 'idb'],
    ['src/core/planted.ts', 'node:fs'],
    ['src/rlhf/planted.ts', 'idb'],
    ['src/rlhf/planted.ts', 'fflate'],
    ['src/tokenizer/planted.ts', 'papaparse'],
    ['src/engine/planted.ts', 'uplot'],
  ])('%s may not import the package %s', async (file, name) => {
    const forms = [
      `import x from '${name}';\nexport const y = x;\n`,
      `export const y = import('${name}');\n`,
    ];
    for (const code of forms) {
      expect(await findings(virtual, file, code)).toEqual([BOUNDARY]);
    }
  });

  test.each([
    ['src/engine/backend.ts', '@tensorflow/tfjs-core'],
    ['src/engine/ops/matmul.ts', '@tensorflow/tfjs-backend-webgpu/dist/backend_webgpu'],
    ['src/storage/database.ts', 'idb'],
    ['src/ui/charts/chart.ts', 'uplot'],
    ['src/ui/main.ts', 'svelte/transition'],
  ])('%s may import the package %s', async (file, name) => {
    expect(
      await findings(virtual, file, `import x from '${name}';\nexport const y = x;\n`),
    ).toEqual([]);
  });
});

describe('only the engine touches navigator.gpu', () => {
  const samples = [
    'export const x = navigator.gpu;\n',
    "export const x = navigator['gpu'];\n",
    'export const x = globalThis.navigator?.gpu;\n',
    'export const { gpu } = navigator;\n',
    "export const x = 'gpu' in navigator;\n",
  ];
  test.each(samples)('%s', async (code) => {
    expect(await findings(virtual, 'src/ui/planted.ts', code)).toEqual(['no-restricted-syntax']);
    expect(await findings(virtual, 'src/engine/planted.ts', code)).toEqual([]);
  });
});

describe('every other rule of the house reports its violation', () => {
  test.each([
    ['svelte/no-at-html-tags', 'src/ui/Planted.svelte', `<p>{@html '<b>x</b>'}</p>\n`],
    ['no-restricted-syntax', 'src/ui/Planted.svelte', `<p style="color: red">x</p>\n`],
    ['no-restricted-syntax', 'src/ui/planted.ts', `document.body.innerHTML = 'x';\n`],
    ['no-restricted-syntax', 'src/engine/planted.ts', `document.body.innerHTML = 'x';\n`],
    ['no-restricted-syntax', 'src/ui/planted.ts', `document.write('x');\n`],
    [
      'no-restricted-syntax',
      'src/ui/x.ts',
      `document.body.insertAdjacentHTML('beforeend', 'x');\n`,
    ],
    ['no-eval', 'src/core/planted.ts', `eval('1');\n`],
    ['no-new-func', 'src/core/planted.ts', `export const f = new Function('return 1');\n`],
    ['@typescript-eslint/no-explicit-any', 'src/core/planted.ts', 'export let x: any;\n'],
    ['@typescript-eslint/no-explicit-any', 'tests/unit/planted.test.ts', 'export let x: any;\n'],
    [
      '@typescript-eslint/no-explicit-any',
      'src/ui/Planted.svelte',
      '<script lang="ts">\n  let { x }: { x: any } = $props();\n</script>\n\n<p>{x}</p>\n',
    ],
    [
      '@typescript-eslint/consistent-type-imports',
      'src/core/planted.ts',
      `import { Stage } from './domain';\nexport type X = Stage;\n`,
    ],
    ['@typescript-eslint/no-unused-vars', 'src/core/planted.ts', 'const x = 1;\n'],
    ['project/file-name', 'src/core/utils.ts', 'export const x = 1;\n'],
    ['project/file-name', 'src/core/index.ts', 'export const x = 1;\n'],
    ['project/no-barrel', 'src/core/planted.ts', `export * from './x';\nexport const y = 1;\n`],
    ['project/no-barrel', 'src/core/planted.ts', `export { x } from './x';\n`],
    ['project/stage-order', 'src/rlhf/sft.ts', `import { x } from './ppo';\nexport const y = x;\n`],
    ['project/stage-order', 'src/rlhf/rankings.ts', `export const y = import('./reward');\n`],
    ['max-lines', 'src/core/planted.ts', 'export {};\n'.repeat(401)],
    ['no-console', 'src/core/planted.ts', `console.log('x');\n`],
    ['no-warning-comments', 'src/core/planted.ts', `// ${'TO'}DO: later\nexport const x = 1;\n`],
    ['eqeqeq', 'src/core/planted.ts', 'export const f = (x: number) => x == 1;\n'],
    [
      'no-restricted-syntax',
      'tests/unit/planted.test.ts',
      `import { test } from 'vitest';\ntest.${'skip'}('x', () => {});\n`,
    ],
    [
      'no-restricted-syntax',
      'tests/gpu/planted.test.ts',
      `import { describe } from 'vitest';\ndescribe.${'only'}('x', () => {});\n`,
    ],
    [
      'no-restricted-imports',
      'tests/e2e/planted.spec.ts',
      `import { test } from '@playwright/test';\ntest('x', () => {});\n`,
    ],
  ])('%s in %s', async (rule, file, code) => {
    expect(await findings(virtual, file, code)).toContain(rule);
  });

  test.each([
    ['@typescript-eslint/no-floating-promises', `fetch('x');\n`],
    [
      '@typescript-eslint/no-unsafe-member-access',
      `const x = JSON.parse('{}');\nexport const y: unknown = x.y;\n`,
    ],
    [
      '@typescript-eslint/no-misused-promises',
      `addEventListener('click', async () => {\n  await fetch('x');\n});\n`,
    ],
  ])('%s, which needs types', async (rule, code) => {
    expect(await findings(typed, 'src/main.ts', code)).toContain(rule);
  });

  test('an unused eslint-disable comment is reported', async () => {
    const code = '// eslint-disable-next-line no-console\nexport const x = 1;\n';
    expect(await findings(virtual, 'src/core/planted.ts', code)).toEqual([
      expect.stringContaining('Unused eslint-disable directive'),
    ]);
  });
});

describe('clean samples pass', () => {
  test.each([
    [
      'src/rlhf/ppo.ts',
      `import type { Stage } from '../core/domain';
import { loss } from '../engine/heads';
import { rank } from './rankings';

/** One step. */
export async function* ppo(stage: Stage) {
  yield loss(stage, rank());
}
`,
    ],
    [
      'src/ui/Planted.svelte',
      `<script lang="ts">
  import { project } from '../state/project.svelte';
  let { width }: { width: number } = $props();
  const half = $derived(width / 2);
</script>

<p style:width="{half}px">{project.name}</p>
`,
    ],
  ])('%s', async (file, code) => {
    expect(await findings(virtual, file, code)).toEqual([]);
  });
});
