import type { Browser, BrowserContext, Page } from '@playwright/test';
import { expect, test } from './fixture';
import fc from 'fast-check';
import { keepCounts, soakPlan } from '../soak';
import { amount } from '../soak-plan';
import { crash, edit, follows, opened, Watcher, type Seen } from './tabs';

const PLAN = soakPlan();
const SEEDS = amount(PLAN, { few: 2, full: 50 });
const COMMANDS = PLAN.full ? 40 : 12;
const TABS = 3;
const TAKE_OVER_MS = 3000;

// A worker that is kept for offline use would only slow the many starts down.
test.use({ serviceWorkers: 'block' });

type Action = 'open' | 'close' | 'reload' | 'crash' | 'edit' | 'take over';
interface Command {
  tab: number;
  action: Action;
}

const command = fc.record({
  tab: fc.nat(TABS - 1),
  action: fc.oneof(
    { weight: 2, arbitrary: fc.constant<Action>('open') },
    { weight: 1, arbitrary: fc.constant<Action>('close') },
    { weight: 1, arbitrary: fc.constant<Action>('reload') },
    { weight: 1, arbitrary: fc.constant<Action>('crash') },
    { weight: 5, arbitrary: fc.constant<Action>('edit') },
    { weight: 3, arbitrary: fc.constant<Action>('take over') },
  ),
});

/** A browser profile with one project in it. */
async function profile(
  browser: Browser,
  { engine = true } = {},
): Promise<{ context: BrowserContext; id: string }> {
  const context = await browser.newContext();
  // Editing needs no engine, and starting one in every tab takes most of the time.
  if (!engine) await context.route('**/train.worker-*.js', (route) => route.abort());
  const page = await context.newPage();
  await page.goto('/');
  const id = await page.evaluate(() => window.rlhf.newProject({ name: 'Tabs' }));
  await page.close();
  return { context, id };
}

class Tabs {
  readonly acknowledged: string[] = [];
  readonly takeOvers: number[] = [];
  private readonly context: BrowserContext;
  private readonly watcher: Watcher;
  private readonly pages: (Page | null)[] = Array.from({ length: TABS }, () => null);
  private revision = 0;
  private edits = 0;

  constructor(context: BrowserContext, watcher: Watcher) {
    this.context = context;
    this.watcher = watcher;
  }

  /** @returns what must never be seen; empty when all is well */
  async run({ tab, action }: Command): Promise<string[]> {
    const page = this.pages[tab] ?? (this.pages[tab] = await this.context.newPage());
    if (page.url() === 'about:blank') await page.goto('/');
    else if (action === 'reload') await page.reload();
    if (action === 'close' || action === 'crash') {
      await (action === 'close' ? page.close() : crash(page));
      this.pages[tab] = null;
      return this.violations();
    }
    await opened(page);
    if (action === 'edit') {
      const text = `edit ${(this.edits += 1)} in tab ${tab}`;
      if ((await edit(page, text)) === 'acknowledged') this.acknowledged.push(text);
    }
    if (action === 'take over' && (await follows(page))) await this.takeOver(page);
    return this.violations();
  }

  private async takeOver(page: Page): Promise<void> {
    const begun = performance.now();
    await page.evaluate(() => window.rlhf.takeOver());
    this.takeOvers.push(performance.now() - begun);
    const text = `edit ${(this.edits += 1)} after taking over`;
    if ((await edit(page, text)) === 'acknowledged') this.acknowledged.push(text);
  }

  async violations(): Promise<string[]> {
    const seen = await this.watcher.look();
    const found: string[] = [];
    if (seen.holders > 1) found.push(`${seen.holders} tabs hold the lock`);
    if (seen.revision < this.revision) found.push(`revision ${this.revision} → ${seen.revision}`);
    this.revision = seen.revision;
    found.push(...lost(this.acknowledged, seen));
    const open = this.pages.filter((page) => page !== null);
    const writers = async (): Promise<number> =>
      (await Promise.all(open.map(follows))).filter((reading) => !reading).length;
    // A tab that has just lost the project may take a moment to say so.
    for (let i = 0; i < 20 && (await writers()) > 1; i++)
      await this.watcher.page.waitForTimeout(50);
    if ((await writers()) > 1) found.push(`${await writers()} tabs say that they write`);
    return found;
  }
}

function lost(acknowledged: readonly string[], { prompts }: Seen): string[] {
  const times = (text: string): number => prompts.filter((prompt) => prompt === text).length;
  return acknowledged
    .filter((text) => times(text) !== 1)
    .map((text) => `“${text}” was acknowledged and is stored ${times(text)} times`);
}

test(`${SEEDS} × ${COMMANDS} commands in ${TABS} tabs: one writer, nothing acknowledged is lost`, async ({
  browser,
}) => {
  test.setTimeout(PLAN.full ? 3_600_000 : 240_000);
  const counts = { seeds: 0, commands: 0, acknowledged: 0, takeOvers: 0, slowestMs: 0 };
  for (let i = 1; i <= SEEDS; i++) {
    const seed = (PLAN.part - 1) * SEEDS + i;
    const { context, id } = await profile(browser, { engine: false });
    const tabs = new Tabs(context, await Watcher.beside(context, id));
    const commands = fc.array(command, { minLength: COMMANDS, maxLength: COMMANDS });
    const [drawn] = fc.sample(commands, { seed, numRuns: 1 });
    const done: string[] = [];
    for (const next of drawn!) {
      done.push(`${next.action} ${next.tab}`);
      expect(await tabs.run(next), `seed ${seed}: ${done.join(', ')}`).toEqual([]);
    }
    counts.seeds++;
    counts.commands += done.length;
    counts.acknowledged += tabs.acknowledged.length;
    counts.takeOvers += tabs.takeOvers.length;
    counts.slowestMs = Math.round(Math.max(counts.slowestMs, ...tabs.takeOvers));
    keepCounts('tabs', counts);
    await context.close();
  }
  expect(counts.acknowledged).toBeGreaterThan(SEEDS);
  expect(counts.takeOvers).toBeGreaterThan(0);
  expect(counts.slowestMs).toBeLessThan(TAKE_OVER_MS);
});

test('the same watch sees it when every tab believes that it is the writer', async ({
  browser,
}) => {
  const { context, id } = await profile(browser, { engine: false });
  // No lock, and no claim that is compared: what the page would be without either.
  await context.addInitScript(() => {
    LockManager.prototype.request = (name: string, ...rest: unknown[]) =>
      (rest.at(-1) as (lock: unknown) => Promise<never>)({ name });
    const { put }: { put: (...args: unknown[]) => IDBRequest<IDBValidKey> } =
      IDBObjectStore.prototype as never;
    IDBObjectStore.prototype.put = function (value: { claim?: string }, key?: IDBValidKey) {
      if (this.name === 'projects') delete value.claim;
      return put.call(this, value, key);
    };
  });
  const tabs = new Tabs(context, await Watcher.beside(context, id));
  await tabs.run({ tab: 0, action: 'open' });
  expect(await tabs.run({ tab: 1, action: 'edit' })).toEqual(['2 tabs say that they write']);
  await context.close();
});

test('a tab that hangs is replaced, and when it wakes up it reads', async ({ browser }) => {
  const { context, id } = await profile(browser, { engine: false });
  const watcher = await Watcher.beside(context, id);
  const [hung, other] = [await context.newPage(), await context.newPage()];
  await hung.goto('/');
  await opened(hung);
  await other.goto('/');
  await expect(other.getByTestId('read-only')).toBeVisible();
  expect(await edit(other, 'refused')).toBe('refused');
  // It has a change in line when it begins to hang, and tries to store it when it wakes up.
  const woken = hung.evaluate(() => {
    void window.rlhf.addDemonstrations('Prompt: too late\nResponse: Noted.').catch(() => {});
    const end = performance.now() + 6000;
    while (performance.now() < end);
  });
  await other.waitForTimeout(300);
  const begun = performance.now();
  await other.getByRole('button', { name: 'Take over' }).click();
  await expect(other.getByTestId('read-only')).toHaveCount(0);
  expect(performance.now() - begun).toBeLessThan(TAKE_OVER_MS);
  expect(await edit(other, 'by the new writer')).toBe('acknowledged');
  await woken;
  await expect(hung.getByTestId('read-only')).toBeVisible();
  expect(await edit(hung, 'refused')).toBe('refused');
  expect((await watcher.look()).prompts).toEqual(['by the new writer']);
  await context.close();
});

test('a run is followed live, taken over in mid-training, and goes on in the other tab', async ({
  browser,
}) => {
  const { context } = await profile(browser);
  const [trainer, other] = [await context.newPage(), await context.newPage()];
  await trainer.goto('/');
  await trainer.evaluate(async () => {
    await window.rlhf.ready();
    const rows = Array.from({ length: 24 }, (_, i) => `Prompt: Hat ${i}?\nResponse: On the hill.`);
    await window.rlhf.addDemonstrations(rows.join('\n\n'));
    void window.rlhf.trainSft({ num_train_epochs: 20, held_out_ratio: 0 }).catch(() => {});
  });
  await other.goto('/');
  await expect(other.getByTestId('read-only')).toBeVisible();
  const steps = (page: Page): Promise<number[]> =>
    page.evaluate(async () => (await window.rlhf.metrics('sft')).map(({ step }) => step!));
  await expect
    .poll(async () => (await steps(other)).length, { timeout: 60_000 })
    .toBeGreaterThan(5);
  const refused = await other.evaluate(() =>
    window.rlhf.stop().catch(({ code }: { code: string }) => code),
  );
  expect(refused).toBe('read-only');
  const begun = performance.now();
  await other.evaluate(() => window.rlhf.takeOver());
  expect(performance.now() - begun).toBeLessThan(TAKE_OVER_MS);
  await expect(trainer.getByTestId('read-only')).toBeVisible();
  await other.evaluate(async () => {
    await window.rlhf.ready();
    await window.rlhf.resume();
  });
  await expect.poll(async () => (await steps(other)).length, { timeout: 120_000 }).toBe(60);
  // The one that trained before follows it.
  await expect.poll(() => steps(trainer)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
  expect(await steps(other)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
  await context.close();
});
