/**
 * `npm run bench:trl`: our PPO against TRL's, from the same exported models with the same settings
 * (bench/trl/settings.ts). Runs that are kept are not repeated. Options, after `--`:
 *
 *   --python PATH      a Python with tools/golden/rlhf/requirements.txt
 *                      (.cache/golden/venv/bin/python, which tools/golden/rlhf/make.sh makes)
 *   --seeds N          seeds 1 … N (3)
 *   --backend NAME     webgpu or wasm (webgpu)
 *   --fresh            trains the SFT model and the reward model again, and forgets the kept runs
 *
 * The models lie in .cache/trl; docs/figures/trl.json keeps the runs; docs/figures/trl.svg and
 * docs/trl.md are written from it.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { openBrowserPage, ROOT_FOLDER, type BrowserPage } from '../tools/dev/browser-page';
import type { DemoSet } from '../tools/base-model/make-demos';
import { counted, listed } from './options';
import { trlFigure } from './trl/figure';
import { trlReport } from './trl/report';
import type { Agreement, Exported, Iteration, Probe, Run, TrlResults } from './trl/result';
import { ADAM_EPSILON, SHARED, START } from './trl/settings';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: join(ROOT_FOLDER, '.cache/golden/venv/bin/python') },
    seeds: { type: 'string', default: '3' },
    backend: { type: 'string', default: 'webgpu' },
    fresh: { type: 'boolean', default: false },
  },
});
const seeds = Array.from({ length: counted('seeds', values.seeds) }, (_, i) => i + 1);
const [backend] = listed('backend', values.backend, ['webgpu', 'wasm'] as const);

/** From the root, as the page asks for it. */
const SHARED_FOLDER = '.cache/trl';
const folder = join(ROOT_FOLDER, SHARED_FOLDER);
const kept = join(ROOT_FOLDER, 'docs/figures/trl.json');
const demo = JSON.parse(
  readFileSync(join(ROOT_FOLDER, `public/demo/${START.task}.json`), 'utf8'),
) as DemoSet;

/** Lines that trl_ppo.py prints as JSON. */
function python<T>(...args: string[]): Promise<T[]> {
  return new Promise((done, failed) => {
    const started = spawn(values.python, [join(import.meta.dirname, 'trl/trl_ppo.py'), ...args], {
      env: { ...process.env, OMP_NUM_THREADS: '1', CUDA_VISIBLE_DEVICES: '' },
    });
    let out = '';
    let said = '';
    started.stdout.on('data', (part: Buffer) => (out += part.toString()));
    started.stderr.on('data', (part: Buffer) => (said += part.toString()));
    started.on('error', failed);
    started.on('close', (code) => {
      if (code !== 0) return failed(new Error(`trl_ppo.py ${args.join(' ')}: ${said}`));
      const lines = out.split('\n').filter((line) => line.startsWith('{"'));
      done(lines.map((line) => JSON.parse(line) as T));
    });
  });
}

function keep(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(value)}\n`);
}

/** The models, written once, and how far page and Python agree on them. */
async function start(page: BrowserPage, engine: string): Promise<TrlResults> {
  const { attribute, demonstrations, prompts } = demo;
  const task = { attribute, demonstrations, prompts };
  const { files, accuracy } = await page.call<Exported>('makeModels', task);
  rmSync(folder, { recursive: true, force: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), Buffer.from(text, 'latin1'));
  }
  keep(join(folder, 'prompts.json'), prompts);
  keep(join(folder, 'settings.json'), { ...SHARED, adam_epsilon: ADAM_EPSILON });
  keep(join(folder, 'probe.json'), await page.call<Probe>('probe', `/${SHARED_FOLDER}`, prompts));
  const [answer] = await python<{ agreement: Agreement; versions: Record<string, string> }>(
    folder,
    'check',
  );
  return { date: '', engine, ...answer!, accuracy, runs: [] };
}

/** docs/trl.md and its figure. */
async function writeReport(results: TrlResults): Promise<void> {
  const path = join(ROOT_FOLDER, 'docs/trl.md');
  const options = { ...(await resolveConfig(path)), parser: 'markdown' };
  writeFileSync(path, await format(trlReport(results), options));
  writeFileSync(join(ROOT_FOLDER, 'docs/figures/trl.svg'), trlFigure(results.runs));
}

const page = await openBrowserPage('bench/trl/page.ts');
try {
  const engine = await page.call<string>('open', backend);
  const again = !values.fresh && existsSync(kept) && existsSync(join(folder, 'probe.json'));
  const results = again
    ? (JSON.parse(readFileSync(kept, 'utf8')) as TrlResults)
    : await start(page, engine);
  keep(kept, results);
  console.log(`reward model ${results.accuracy.toFixed(2)}, ${JSON.stringify(results.agreement)}`);
  for (const seed of seeds) {
    for (const side of ['ours', 'trl'] as const) {
      if (results.runs.some((run) => run.side === side && run.seed === seed)) continue;
      const begun = performance.now();
      const curve =
        side === 'ours'
          ? await page.call<Iteration[]>('ppo', `/${SHARED_FOLDER}`, demo.prompts, seed)
          : await python<Iteration>(folder, String(seed));
      if (curve.length !== SHARED.num_iterations) {
        throw new Error(`${side}, seed ${seed}: ${curve.length} iterations`);
      }
      const run: Run = {
        side,
        seed,
        seconds: Math.round((performance.now() - begun) / 1000),
        curve: curve.map((one) => ({
          kl: rounded(one.kl),
          score: rounded(one.score),
          entropy: rounded(one.entropy),
          ended: one.ended,
        })),
      };
      results.runs.push(run);
      results.date = new Date().toISOString().slice(0, 10);
      keep(kept, results);
      const { kl, score } = curve.at(-1)!;
      const last = `KL ${kl.toFixed(2)}, score ${score.toFixed(2)}`;
      console.log(`${side} seed ${seed}: ${last}, ${run.seconds} s`);
    }
  }
  await writeReport(results);
} finally {
  await page.close();
}

function rounded(x: number): number {
  return Number(x.toPrecision(5));
}
