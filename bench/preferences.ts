/**
 * `npm run bench:preferences`: the experiments of the page's "Whose preferences" as it runs them, on a
 * shipped base with simulated labelers: the harm-exposure dial, the electorate matrix, and choosing what to
 * rank. Results are kept run by run, so a benchmark that was cut off goes on. Options, after `--`:
 *
 *   --base NAME          shipped base (nano)
 *   --experiments LIST   harm,electorate,pairs (all)
 *   --seeds N            seeds 1 … N (3)
 *   --comparisons N      of each reward model of the harm dial (480)
 *   --iterations N       of PPO (30)
 *   --backend NAME       webgpu or wasm (webgpu)
 *   --results FILE       where runs are kept (docs/preferences.json); the report goes into
 *                        docs/preferences.md, the figure into docs/figures/harm-dial.svg
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import type { HarmDialRequest, RightPairRequest } from '../src/core/experiments';
import type { SimulatedValues } from '../src/core/people';
import type { DemoSet } from '../tools/base-model/make-demos';
import { openBrowserPage, ROOT_FOLDER, type BrowserPage } from '../tools/dev/browser-page';
import { counted, listed } from './options';
import { harmFigure } from './preferences/figure';
import { preferencesReport } from './preferences/report';
import type {
  ExperimentKind,
  PreferenceResult,
  PreferenceTask,
  SimulatedGroup,
} from './preferences/result';

const { values } = parseArgs({
  options: {
    base: { type: 'string', default: 'nano' },
    experiments: { type: 'string', default: 'harm,electorate,pairs' },
    seeds: { type: 'string', default: '3' },
    comparisons: { type: 'string', default: '480' },
    iterations: { type: 'string', default: '30' },
    backend: { type: 'string', default: 'webgpu' },
    results: { type: 'string', default: 'docs/preferences.json' },
  },
});
const KINDS = ['harm', 'electorate', 'pairs'] as const satisfies ExperimentKind[];
const kinds = listed('experiments', values.experiments, KINDS);
const [base] = listed('base', values.base, ['nano', 'tiny', 'small'] as const);
const [backend] = listed('backend', values.backend, ['webgpu', 'wasm'] as const);
const seeds = Array.from({ length: counted('seeds', values.seeds) }, (_, i) => i + 1);
const ppoIterations = counted('iterations', values.iterations);

/** The demo task in which some answers are rude. */
const TASK = 'polite';
const KIND: SimulatedValues = {
  attribute: 'polite',
  noise: 0.5,
  harm_aversion: 1.5,
  length_bias: 0,
};
const HARM: HarmDialRequest = {
  values: KIND,
  comparisons: counted('comparisons', values.comparisons),
  ppoIterations,
  seeds: 1,
};
/** Opposite tastes, and a small group that wants something else. */
const GROUPS: SimulatedGroup[] = [
  { name: 'kind', values: KIND, rankings: 96 },
  { name: 'cheeky', values: { ...KIND, harm_aversion: -2.5 }, rankings: 96 },
  { name: 'brief', values: { ...KIND, harm_aversion: 0, length_bias: -1.5 }, rankings: 12 },
];
const PAIRS: RightPairRequest = { values: { ...KIND, harm_aversion: 0 }, seeds: 1 };
const SETTINGS: Record<ExperimentKind, string> = {
  harm: JSON.stringify(HARM),
  electorate: JSON.stringify([GROUPS, ppoIterations]),
  pairs: JSON.stringify(PAIRS),
};

function taskOf(seed: number): PreferenceTask {
  const path = join(ROOT_FOLDER, `public/demo/${TASK}.json`);
  const { demonstrations, prompts } = JSON.parse(readFileSync(path, 'utf8')) as DemoSet;
  return { demonstrations, prompts, seed };
}

const measure = {
  harm: (page: BrowserPage) => page.call('harmDial', HARM),
  electorate: (page: BrowserPage) => page.call('electorate', GROUPS, ppoIterations),
  pairs: (page: BrowserPage) => page.call('rightPair', PAIRS),
};

const file = resolve(ROOT_FOLDER, values.results);
const results = existsSync(file)
  ? (JSON.parse(readFileSync(file, 'utf8')) as PreferenceResult[])
  : [];
const wanted = kinds
  .flatMap((experiment) => seeds.map((seed) => ({ experiment, seed })))
  .filter(
    ({ experiment, seed }) =>
      !results.some(
        (one) =>
          one.experiment === experiment &&
          one.base === base &&
          one.seed === seed &&
          one.settings === SETTINGS[experiment],
      ),
  );
console.log(`${wanted.length} runs to do, ${results.length} kept`);

/** docs/preferences.md and the figure, or their like beside another file of results. */
async function writeReport(): Promise<void> {
  const path = file.replace(/\.json$/, '.md');
  const options = { ...(await resolveConfig(path)), parser: 'markdown' };
  // Runs of other settings stay in the file; the report is of these.
  const shown = results.filter((one) => one.settings === SETTINGS[one.experiment]);
  const dials = shown.filter((one) => one.experiment === 'harm');
  writeFileSync(path, await format(preferencesReport(shown), options));
  if (dials.length === 0 || values.results !== 'docs/preferences.json') return;
  writeFileSync(join(ROOT_FOLDER, 'docs/figures/harm-dial.svg'), harmFigure(dials));
}

const page = await openBrowserPage('bench/preferences/page.ts');
try {
  const engine = await page.call<string>('open', backend);
  let trained = 0;
  for (const { experiment, seed } of wanted.sort((a, b) => a.seed - b.seed)) {
    const begun = performance.now();
    if (trained !== seed) await page.call('sft', base, taskOf(seed));
    trained = seed;
    const record: unknown = await measure[experiment](page);
    const seconds = Math.round((performance.now() - begun) / 1000);
    results.push({
      experiment,
      base,
      task: TASK,
      seed,
      settings: SETTINGS[experiment],
      engine,
      date: new Date().toISOString().slice(0, 10),
      seconds,
      record,
    } as PreferenceResult);
    writeFileSync(file, `${JSON.stringify(results)}\n`);
    await writeReport();
    console.log(`${experiment}, seed ${seed}: ${seconds} s`);
  }
  if (wanted.length === 0) await writeReport();
} finally {
  await page.close();
}
