import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, scriptReady, test } from './fixture';
import { serveBroken } from './kills/broken-build';
import { KillableBrowser } from './kills/killable-browser';
import { watchTransactions, workUntilKilled, type Acknowledged } from './kills/page-work';
import { readStored, violations } from './kills/stored';
import { keepCounts, soakPlan } from '../soak';
import { amount } from '../soak-plan';

/** A kill comes at any moment of this time after the first thing was saved, ms. */
const WITHIN_MS = 5000;
/** Kills between two fresh projects: a run that was cut off is resumed and cut off again. */
const KILLS_PER_PROJECT = 6;
/** One kill in so many waits until the run stores checkpoints: the engine takes longer than an edit. */
const KILLS_PER_TRAINING = 8;
const START_MS = 120_000;

/** Where the dice fall is told when a test fails. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** One profile that is killed again and again, and all that it ever said was saved. */
class Trial {
  readonly said: Acknowledged[] = [];
  /** Durabilities that were asked for, and how often. */
  readonly durabilities: Record<string, number> = {};
  found: string[] = [];
  private readonly profile = mkdtempSync(join(tmpdir(), 'rlhf-killed-'));
  private readonly url: string;
  private readonly random: () => number;
  private browser: KillableBrowser | null = null;
  private kills = 0;

  constructor(url: string, seed: number) {
    this.url = url;
    this.random = dice(seed);
  }

  /** Works, kills, looks; `trains` waits until a checkpoint has been stored, `fresh` begins a new project. */
  async round(
    how: 'crash' | 'kill',
    {
      trains = this.kills % KILLS_PER_TRAINING === 1,
      fresh = this.kills % KILLS_PER_PROJECT === 0,
    } = {},
  ): Promise<void> {
    const page = await this.open();
    const before = this.said.length;
    await page.goto(this.url);
    await scriptReady(page);
    const heardOf: string[] = [];
    page.on('console', (message) => heardOf.push(message.text()));
    page.evaluate(workUntilKilled, { fresh }).catch((error: unknown) => {
      heardOf.push(String(error));
    });
    const heard = (): boolean =>
      this.said.slice(before).some(({ table }) => !trains || table === 'checkpoints');
    const told = (): string[] => (heard() ? [] : ['nothing was saved', ...heardOf.slice(-5)]);
    await expect.poll(told, { timeout: START_MS }).toEqual([]);
    await page.waitForTimeout(this.random() * WITHIN_MS);
    if (how === 'crash') await this.browser!.crash(page);
    else await this.end();
    this.kills++;
    await this.look();
  }

  /** Compares what is stored with what was said. */
  private async look(): Promise<void> {
    const page = await (await this.running()).context.newPage();
    // A document of the page's origin that runs none of its code.
    await page.goto(`${this.url}icon.svg`);
    this.found = violations(this.said, await readStored(page));
    await page.close();
  }

  private async open(): Promise<Page> {
    const page = await (await this.running()).context.newPage();
    await page.exposeFunction('acknowledge', (what: Acknowledged) => void this.said.push(what));
    await page.exposeFunction('wrote', (durability: string) => {
      this.durabilities[durability] = (this.durabilities[durability] ?? 0) + 1;
    });
    await page.addInitScript(watchTransactions);
    page.on('worker', (worker) => void worker.evaluate(watchTransactions).catch(() => undefined));
    return page;
  }

  private async running(): Promise<KillableBrowser> {
    this.browser ??= await KillableBrowser.start(this.profile);
    return this.browser;
  }

  async end(): Promise<void> {
    await this.browser?.kill();
    this.browser = null;
  }

  async close(): Promise<void> {
    await this.end();
    rmSync(this.profile, { recursive: true, force: true });
  }

  /** Number of things that were said to be saved. */
  counts(): { acknowledged: number; checkpoints: number; lostOrTorn: number } {
    const checkpoints = this.said.filter(({ table }) => table === 'checkpoints').length;
    return { acknowledged: this.said.length, checkpoints, lostOrTorn: this.found.length };
  }
}

for (const { how, what, name, few, full } of [
  { how: 'crash', what: 'The page’s process crashes', name: 'renderer-kills', few: 3, full: 100 },
  { how: 'kill', what: 'The browser is killed', name: 'browser-kills', few: 2, full: 30 },
] as const) {
  test(`${what} at any moment: nothing that was saved is lost, no checkpoint is torn`, async ({
    baseURL,
  }) => {
    const plan = soakPlan();
    const kills = amount(plan, { few, full });
    test.setTimeout(60_000 + kills * 40_000);
    const trial = new Trial(baseURL!, plan.part);
    try {
      for (let i = 0; i < kills; i++) {
        await trial.round(how);
        expect(trial.found, `after kill ${i + 1}`).toEqual([]);
        const { strict = 0 } = trial.durabilities;
        keepCounts(name, { kills: i + 1, ...trial.counts(), strict });
      }
      expect(Object.keys(trial.durabilities)).toEqual(['strict']);
      expect(trial.said.length).toBeGreaterThan(kills);
      expect(trial.counts().checkpoints).toBeGreaterThan(0);
    } finally {
      await trial.close();
    }
  });
}

test('with its storage broken the same trial finds what is lost, torn and not flushed', async () => {
  const broken = await serveBroken();
  const trial = new Trial(broken.url, 1);
  const kinds = new Set<string>();
  try {
    for (let i = 0; i < 12 && kinds.size < 2; i++) {
      // A run whose checkpoint is torn could not go on.
      await trial.round('crash', { trains: true, fresh: true });
      for (const one of trial.found) kinds.add(one.split(':')[0]!);
    }
    expect([...kinds].sort()).toEqual(['lost', 'torn']);
    expect(Object.keys(trial.durabilities)).toEqual(['relaxed']);
  } finally {
    await trial.close();
    await broken.close();
  }
});
