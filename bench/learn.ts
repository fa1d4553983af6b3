/**
 * `npm run bench:learn`: does the whole loop learn? SFT, rankings by a simulated labeler who agrees
 * with itself 73 % of the time, reward model, PPO, at the default settings; several seeds. Results are
 * kept run by run, so a benchmark that was cut off goes on. Options, after `--`:
 *
 *   --base nano,tiny   shipped bases (nano)
 *   --tasks LIST       polite,happy,cats (all)
 *   --seeds N          seeds 1 … N (5)
 *   --rankings N       rankings of 4 (160)
 *   --agreement SHARE  of the labeler with itself (0.73)
 *   --set stage.name=value,…   changes of the defaults, e.g. ppo.learning_rate=0.0005; several sets of
 *                      them with ; between, each a table of its own: a sweep. Neighbours that differ only
 *                      in PPO share the SFT model and the reward model
 *   --backend NAME     webgpu or wasm (webgpu)
 *   --results FILE     where runs are kept (docs/learning.json); the tables go into docs/learning.md
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { ATTRIBUTE_NAMES } from '../src/core/attributes';
import { openBrowserPage, ROOT_FOLDER } from '../tools/dev/browser-page';
import type { DemoSet } from '../tools/base-model/make-demos';
import { learningReport } from './learn/report';
import type { LearnResult, LearnTask } from './learn/result';
import { counted, listed } from './options';

const { values } = parseArgs({
  options: {
    base: { type: 'string', default: 'nano' },
    tasks: { type: 'string', default: ATTRIBUTE_NAMES.join() },
    seeds: { type: 'string', default: '5' },
    rankings: { type: 'string', default: '160' },
    agreement: { type: 'string', default: '0.73' },
    set: { type: 'string', default: '' },
    backend: { type: 'string', default: 'webgpu' },
    results: { type: 'string', default: 'docs/learning.json' },
  },
});
const tasks = listed('tasks', values.tasks, ATTRIBUTE_NAMES);
const bases = listed('base', values.base, ['nano', 'tiny', 'small'] as const);
const [backend] = listed('backend', values.backend, ['webgpu', 'wasm'] as const);
const seeds = Array.from({ length: counted('seeds', values.seeds) }, (_, i) => i + 1);
const sets = values.set.split(';');
const nameOf = (set: string): string =>
  [set, `rankings=${values.rankings}`, `agreement=${values.agreement}`]
    .filter((text) => text !== '')
    .join(',');

/** `ppo.learning_rate=0.0005` → { ppo: { learning_rate: 0.0005 } } */
function settingsOf(text: string): LearnTask['settings'] {
  const settings: Record<string, Record<string, number | string | boolean>> = {};
  for (const part of text.split(',').filter((one) => one !== '')) {
    const [, stage, name, value] = /^(sft|reward|ppo)\.(\w+)=(.+)$/.exec(part) ?? [];
    if (stage === undefined || name === undefined || value === undefined) {
      throw new Error(`--set: "${part}" is not stage.name=value`);
    }
    (settings[stage] ??= {})[name] = Number.isNaN(Number(value)) ? value : Number(value);
  }
  return settings;
}

function taskOf(name: (typeof tasks)[number], seed: number, set: string): LearnTask {
  const path = join(ROOT_FOLDER, `public/demo/${name}.json`);
  const demo = JSON.parse(readFileSync(path, 'utf8')) as DemoSet;
  return {
    attribute: demo.attribute,
    demonstrations: demo.demonstrations,
    prompts: demo.prompts,
    heldOutPrompts: demo.heldOutPrompts,
    seed,
    rankings: counted('rankings', values.rankings),
    K: 4,
    agreement: Number(values.agreement),
    answersPerPrompt: 16,
    settings: settingsOf(set),
  };
}

const file = resolve(ROOT_FOLDER, values.results);
const results = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as LearnResult[]) : [];
const wanted = bases
  .flatMap((base) => seeds.flatMap((seed) => tasks.map((task) => ({ base, task, seed }))))
  .flatMap((run) => sets.map((set) => ({ ...run, set, changes: nameOf(set) })))
  .filter(
    ({ base, task, seed, changes }) =>
      !results.some(
        (one) =>
          one.base === base && one.task === task && one.seed === seed && one.changes === changes,
      ),
  );
console.log(`${wanted.length} runs to do, ${results.length} kept`);

/** docs/learning.md, or its like beside another file of results. */
async function writeReport(): Promise<void> {
  const path = file.replace(/\.json$/, '.md');
  const options = { ...(await resolveConfig(path)), parser: 'markdown' };
  writeFileSync(path, await format(learningReport(results), options));
}

const page = await openBrowserPage('bench/learn/page.ts');
try {
  const engine = await page.call<string>('open', backend);
  const started = performance.now();
  let start = '';
  let sft!: LearnResult['sft'];
  let reward!: LearnResult['reward'];
  for (const [n, { base, task: name, seed, set, changes }] of wanted.entries()) {
    const begun = performance.now();
    const task = taskOf(name, seed, set);
    const before = JSON.stringify([base, { ...task, settings: { ...task.settings, ppo: null } }]);
    if (before !== start) {
      sft = await page.call<LearnResult['sft']>('sft', base, task);
      reward = await page.call<LearnResult['reward']>('rewardModel');
      start = before;
    }
    const ppo = await page.call<LearnResult['ppo']>('ppo', task.settings.ppo ?? {});
    const now = performance.now();
    results.push({
      base,
      task: name,
      seed,
      changes,
      engine,
      date: new Date().toISOString().slice(0, 10),
      seconds: Math.round((now - begun) / 1000),
      sft,
      reward,
      ppo,
    });
    writeFileSync(file, `${JSON.stringify(results)}\n`);
    await writeReport();
    const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
    const left = ((now - started) / (n + 1)) * (wanted.length - n - 1);
    console.log(
      [
        `${base} ${name} seed ${seed}${set === '' ? '' : ` ${set}`}: reward model ${percent(reward.accuracy)}`,
        `(true ${percent(reward.trueAccuracy)})`,
        `rate ${percent(ppo.before.rate)} → ${percent(ppo.after.rate)}, KL ${ppo.after.kl.toFixed(1)}`,
        `distinct-2 ${ppo.before.distinct2.toFixed(2)} → ${ppo.after.distinct2.toFixed(2)}`,
        `${((now - begun) / 1000).toFixed(0)} s; ${(left / 60_000).toFixed(0)} min left`,
      ].join(', '),
    );
  }
} finally {
  await page.close();
}
