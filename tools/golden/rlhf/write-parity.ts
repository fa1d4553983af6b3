/**
 * Runs the golden tests and writes docs/parity.md from what they measured:
 * `npx tsx tools/golden/rlhf/write-parity.ts`.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { format, resolveConfig } from 'prettier';
import control from '../../../tests/golden/rlhf/control.json';
import rollout from '../../../tests/golden/rlhf/rollout.json';
import update from '../../../tests/golden/rlhf/update.json';
import type { ParityRow } from './parity';
import { MEASURING_TESTS, parityDocument } from './parity-document';

const REPORT = '.cache/golden/report.json';
const DOCUMENT = 'docs/parity.md';

/** The part of vitest's JSON report that is read. */
interface Report {
  testResults: {
    name: string;
    assertionResults: { meta?: { parity?: ParityRow[]; adapter?: string } }[];
  }[];
}

mkdirSync('.cache/golden', { recursive: true });
rmSync(REPORT, { force: true });
const { status } = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--project=unit',
    '--project=gpu',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${REPORT}`,
    ...MEASURING_TESTS,
  ],
  { stdio: 'inherit' },
);
// A document of numbers that broke their limits would still look like parity.
if (status !== 0) throw new Error('The golden tests failed; docs/parity.md is as it was.');

const report = JSON.parse(readFileSync(REPORT, 'utf8')) as Report;
const files = report.testResults.map(({ name, assertionResults }) => ({
  file: relative(process.cwd(), name),
  rows: assertionResults.flatMap(({ meta }) => meta?.parity ?? []),
}));
const adapter = report.testResults
  .flatMap(({ assertionResults }) => assertionResults)
  .find(({ meta }) => meta?.adapter !== undefined)?.meta?.adapter;
if (adapter === undefined) throw new Error('No test told its adapter.');

const [last, after] = [rollout['last-token'].advantages, rollout['after-eos'].advantages].map(
  (rows) => rows.flat(),
) as [number[], number[]];
const document = parityDocument(
  files,
  {
    versions: rollout.versions,
    controllerVersion: control.controllerVersion,
    approxkl: [update.approxkl, update.trlApproxkl],
    ratio: [update.ratio, update.trlRatio],
    entropy: [update.entropy, update.trlEntropy],
    placement: Math.max(...last.map((x, i) => Math.abs(x - after[i]!))),
  },
  adapter,
);
const options = await resolveConfig(DOCUMENT);
writeFileSync(DOCUMENT, await format(document, { ...options, filepath: DOCUMENT }));
