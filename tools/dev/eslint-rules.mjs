/**
 * The project's own lint rules: no grab-bag file names, no barrel files, no later stage imported
 * by an earlier one.
 */
import { basename } from 'node:path';

/** The pipeline's order in src/rlhf: a stage may import those before it, never those after. */
const STAGES = ['pretrain', 'sft', 'rankings', 'reward', 'ppo', 'dpo', 'evaluate'];

/** @type {import('eslint').Rule.RuleModule} */
const fileName = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: { vague: 'A file called {{name}} says nothing about its one idea. Name it by that.' },
  },
  create(context) {
    return {
      Program(node) {
        const name = basename(context.filename);
        if (/^(index|utils?|helpers?|misc|common)\./.test(name)) {
          context.report({ node, messageId: 'vague', data: { name } });
        }
      },
    };
  },
};

/** @type {import('eslint').Rule.RuleModule} */
const noBarrel = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: {
      all: '`export *` hides where a name comes from. Import it from the file that defines it.',
      only: 'This file only passes on what others export. Import from those files instead.',
    },
  },
  create(context) {
    return {
      ExportAllDeclaration(node) {
        context.report({ node, messageId: 'all' });
      },
      'Program:exit'(node) {
        const statements = node.body;
        const passesOn = statements.every(
          (statement) => statement.type === 'ExportNamedDeclaration' && statement.source != null,
        );
        if (statements.length > 0 && passesOn) context.report({ node, messageId: 'only' });
      },
    };
  },
};

/** @type {import('eslint').Rule.RuleModule} */
const stageOrder = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { later: 'Data goes one way: {{from}} comes before {{to}} and cannot import it.' },
  },
  create(context) {
    const stageOf = (/** @type {string} */ path) =>
      STAGES.indexOf(basename(path).replace(/\.[a-z.]+$/, ''));
    const from = /[\\/]src[\\/]rlhf[\\/][^\\/]+$/.test(context.filename)
      ? stageOf(context.filename)
      : -1;
    if (from === -1) return {};
    return {
      'ImportDeclaration, ExportNamedDeclaration, ImportExpression'(
        /** @type {{ source?: { value?: unknown } | null } & import('eslint').Rule.Node} */ node,
      ) {
        const source = node.source?.value;
        if (typeof source !== 'string' || !source.startsWith('./')) return;
        const to = stageOf(source);
        if (to <= from) return;
        const data = { from: STAGES[from] ?? '', to: STAGES[to] ?? '' };
        context.report({ node, messageId: 'later', data });
      },
    };
  },
};

/** @type {import('eslint').ESLint.Plugin} */
export const projectRules = {
  rules: { 'file-name': fileName, 'no-barrel': noBarrel, 'stage-order': stageOrder },
};
