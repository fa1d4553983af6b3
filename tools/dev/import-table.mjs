/**
 * Who may import what: the rooms of src/ as docs/architecture.md describes them, in the form that
 * eslint-plugin-boundaries takes.
 */

/**
 * @typedef {object} Room
 * @property {string} name
 * @property {string} files
 * @property {string[]} imports rooms, besides itself
 * @property {string[]} [types] rooms of which only types may be imported
 * @property {string[]} [packages] npm packages
 * @property {string} [address] a file of which only the address is taken, none of its code
 */

/** A file belongs to the first room that matches. @type {Room[]} */
const ROOMS = [
  { name: 'core', files: 'src/core/**', imports: [] },
  { name: 'tokenizer', files: 'src/tokenizer/**', imports: ['core'] },
  { name: 'engine', files: 'src/engine/**', imports: ['core'], packages: ['@tensorflow/*'] },
  { name: 'rlhf', files: 'src/rlhf/**', imports: ['core', 'tokenizer', 'engine'] },
  {
    name: 'formats',
    files: 'src/formats/**',
    imports: ['core', 'tokenizer'],
    packages: ['fflate', 'papaparse', 'valibot'],
  },
  { name: 'storage', files: 'src/storage/**', imports: ['core'], packages: ['idb', 'valibot'] },
  { name: 'worker-protocol', files: 'src/worker/protocol.ts', imports: ['core'] },
  {
    name: 'worker-client',
    files: 'src/worker/client.ts',
    imports: ['core', 'worker-protocol'],
    address: './train.worker.ts?worker&url',
  },
  {
    name: 'worker-runtime',
    files: 'src/worker/**',
    imports: ['core', 'tokenizer', 'engine', 'rlhf', 'formats', 'storage', 'worker-protocol'],
  },
  {
    name: 'state',
    files: 'src/state/**',
    imports: ['core', 'tokenizer', 'formats', 'storage', 'worker-client'],
    types: ['worker-protocol'],
    packages: ['svelte', 'valibot'],
  },
  {
    name: 'ui',
    files: 'src/ui/**',
    imports: ['core', 'state'],
    packages: ['svelte', 'uplot', '@fontsource-variable/*'],
  },
  // The offline worker stands alone: it is served as one file under a fixed name.
  { name: 'sw', files: 'src/sw.ts', imports: ['core'] },
  {
    name: 'root',
    files: 'src/{main,api,api-*}.ts',
    imports: ['core', 'state', 'ui'],
    packages: ['svelte', 'valibot', '@fontsource-variable/*'],
  },
];

export const boundariesSettings = {
  'boundaries/files': ROOMS.map(({ name, files }) => ({ category: name, pattern: files })),
  'boundaries/files-single-match': true,
  'boundaries/dependency-nodes': ['import', 'dynamic-import', 'export', 'require'],
  'boundaries/additional-dependency-nodes': [
    { selector: 'TSImportType > Literal', kind: 'type', name: 'import-type' },
    { selector: 'ImportExpression > TemplateLiteral', kind: 'value', name: 'dynamic-import' },
  ],
};

export const boundariesOptions = {
  default: 'disallow',
  checkAllOrigins: true,
  checkInternals: true,
  checkUnknownLocals: true,
  message:
    '{{from.file.categories}} may not import {{dependency.source}}: see tools/dev/import-table.mjs',
  policies: ROOMS.flatMap(({ name, imports, types = [], packages = [], address }) => {
    const from = { file: { categories: name } };
    return [
      { from, allow: { to: { file: { categories: [name, ...imports] } } } },
      ...(types.length === 0
        ? []
        : [
            {
              from,
              allow: { to: { file: { categories: types } }, dependency: { kind: 'type' } },
            },
          ]),
      ...(packages.length === 0
        ? []
        : [{ from, allow: { to: { module: { origin: 'external', source: packages } } } }]),
      ...(address === undefined ? [] : [{ from, allow: { dependency: { source: address } } }]),
    ];
  }),
};
