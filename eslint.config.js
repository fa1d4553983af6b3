import { fileURLToPath } from 'node:url';
import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import boundaries from 'eslint-plugin-boundaries';
import svelte from 'eslint-plugin-svelte';
import { defineConfig } from 'eslint/config';
import globals from 'globals';
import typescript from 'typescript-eslint';
import svelteConfig from './svelte.config.js';
import { projectRules } from './tools/dev/eslint-rules.mjs';
import { boundariesOptions, boundariesSettings } from './tools/dev/import-table.mjs';

const SOURCE = ['src/**/*.ts', 'src/**/*.svelte'];
const TYPED = ['**/*.ts', '**/*.svelte'];

/** Text is data: nothing a person pastes is ever parsed as markup or code. */
const TEXT_IS_DATA = [
  {
    selector: 'AssignmentExpression[left.property.name=/^(innerHTML|outerHTML|srcdoc)$/]',
    message: 'Text is data: render it as text nodes.',
  },
  {
    selector:
      'CallExpression[callee.property.name=/^(insertAdjacentHTML|createContextualFragment|parseFromString|setHTMLUnsafe)$/]',
    message: 'Text is data: render it as text nodes.',
  },
  {
    selector: "CallExpression[callee.object.name='document'][callee.property.name=/^write/]",
    message: 'Text is data: render it as text nodes.',
  },
  {
    selector: 'SvelteAttribute[key.name="style"]',
    message: 'The Content-Security-Policy refuses style attributes. Use a class or `style:name`.',
  },
];

const ONLY_ENGINE = 'Only src/engine touches navigator.gpu.';
const NO_GPU = [
  {
    selector:
      ":matches(MemberExpression[property.name='gpu'], MemberExpression[property.value='gpu'])",
    message: ONLY_ENGINE,
  },
  { selector: "ObjectPattern > Property[key.name='gpu']", message: ONLY_ENGINE },
  { selector: "BinaryExpression[operator='in'][left.value='gpu']", message: ONLY_ENGINE },
];

export default defineConfig(
  {
    ignores: [
      '.cache/',
      'dist/',
      'node_modules/',
      'playwright-report/',
      'public/',
      'test-results/',
      'tests/golden/',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: TYPED,
    extends: [typescript.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './tsconfig.worker.json', './tsconfig.node.json'],
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.svelte'],
      },
    },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // An async generator without await is how a stage with nothing to wait for is written.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  svelte.configs.recommended,
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: typescript.parser, svelteConfig } },
    rules: {
      'svelte/no-at-html-tags': 'error',
      // TypeScript reports undefined names, and knows the runes.
      'no-undef': 'off',
    },
  },
  {
    files: ['*.js', 'tools/**/*.mjs'],
    languageOptions: { globals: globals.node },
  },
  {
    files: SOURCE,
    plugins: { boundaries, project: projectRules },
    settings: {
      ...boundariesSettings,
      'boundaries/root-path': import.meta.dirname,
      'import/resolver': {
        [fileURLToPath(new URL('tools/dev/import-resolver.mjs', import.meta.url))]: {},
      },
    },
    rules: {
      'boundaries/dependencies': ['error', boundariesOptions],
      'boundaries/no-unknown-files': 'error',
      'project/file-name': 'error',
      'project/no-barrel': 'error',
      'project/stage-order': 'error',
      'max-lines': ['error', 400],
      'no-console': 'error',
      'no-eval': 'error',
      'no-new-func': 'error',
      'no-restricted-syntax': ['error', ...TEXT_IS_DATA, ...NO_GPU],
    },
  },
  {
    files: ['src/engine/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...TEXT_IS_DATA] },
  },
  {
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-warning-comments': ['error', { terms: ['todo', 'fixme', 'xxx', 'hack'] }],
    },
  },
  {
    files: ['tests/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'MemberExpression[object.name=/^(test|it|describe|suite)$/][property.name=/^(skip|skipIf|runIf|only|todo|fixme|fails|fail)$/]',
          message: 'Every test runs, always: a test that cannot run must fail.',
        },
      ],
    },
  },
  {
    files: ['tests/e2e/**/*.ts'],
    ignores: ['tests/e2e/fixture.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: '@playwright/test',
              importNames: ['test', 'chromium', 'firefox', 'webkit'],
              message: 'Import it from ./fixture, which watches that no request leaves the origin.',
            },
          ],
        },
      ],
    },
  },
  prettier,
);
