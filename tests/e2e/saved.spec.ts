import type { Page } from '@playwright/test';
import { expect, test } from './fixture';

// A person's texts need no engine.
test.beforeEach(({ page }) => page.route('**/train.worker-*.js', (route) => route.abort()));

declare global {
  interface Window {
    /** What the mark said that was not so. */
    lies: string[];
    /** ms from a key to the end of the transaction that stores it. */
    storedAfter: number[];
  }
}

/** Watches the mark, the transactions and the keys from the first moment of the page. */
function watch(): void {
  window.lies = [];
  window.storedAfter = [];
  const isOpen = new Set<IDBTransaction>();
  let typedAt: number | null = null;
  const look = (): void => {
    const marks = [...document.querySelectorAll('[role="status"]')];
    const saved = marks.some((mark) => mark.textContent.trim() === 'Saved');
    if (saved && isOpen.size > 0) window.lies.push('Saved, while a transaction is open');
  };
  const { transaction }: { transaction: (...args: unknown[]) => IDBTransaction } =
    IDBDatabase.prototype as never;
  const { addEventListener }: { addEventListener: (...args: unknown[]) => void } =
    EventTarget.prototype as never;
  IDBDatabase.prototype.transaction = function (...args) {
    const tx = transaction.apply(this, args);
    // The page's work: the tables that only the page writes.
    if (tx.mode !== 'readwrite' || !tx.objectStoreNames.contains('sets')) return tx;
    if (tx.durability !== 'strict') window.lies.push(`a transaction is ${tx.durability}`);
    isOpen.add(tx);
    const typed = typedAt;
    typedAt = null;
    addEventListener.call(tx, 'complete', () => {
      isOpen.delete(tx);
      if (typed !== null) window.storedAfter.push(performance.now() - typed);
    });
    addEventListener.call(tx, 'abort', () => isOpen.delete(tx));
    return tx;
  };
  addEventListener.call(
    window,
    'input',
    () => {
      typedAt ??= performance.now();
    },
    true,
  );
  new MutationObserver(look).observe(document, {
    subtree: true,
    childList: true,
    characterData: true,
  });
}

/** A project with demonstrations, on the page where they are edited. */
async function atTheTexts(page: Page): Promise<void> {
  await page.goto('/');
  await page.evaluate(async () => {
    const rows = ['one', 'two'].map((word) => `Prompt: ${word}\nResponse: ${word}.`);
    await window.rlhf.addDemonstrations(rows.join('\n\n'));
  });
  await page.getByRole('navigation', { name: 'Steps' }).getByText('SFT', { exact: true }).click();
}

const texts = (page: Page): Promise<string[]> =>
  page.evaluate(async () =>
    (await window.rlhf.listDemonstrations()).map(({ completion }) => completion),
  );

/** Writes into the first demonstration. */
async function type(page: Page, words: string): Promise<void> {
  const field = page.getByRole('textbox', { name: /completion|response/i }).first();
  await field.click();
  await field.press('End');
  await page.keyboard.type(words, { delay: 30 });
}

const lies = async (page: Page): Promise<string[]> => [
  ...new Set(await page.evaluate(() => window.lies)),
];

test('Saved is said only when it is so, and a key is on disk within 250 ms', async ({ page }) => {
  await page.addInitScript(watch);
  await atTheTexts(page);
  await type(page, ' And this was typed by hand.');
  await expect(page.getByText('Saved', { exact: true })).toBeVisible();
  expect(await lies(page)).toEqual([]);
  const after = await page.evaluate(() => window.storedAfter);
  console.log(`stored after ${after.map((ms) => Math.round(ms)).join(', ')} ms`);
  expect(after.length).toBeGreaterThan(2);
  // The others tell how busy the machine is with other things.
  expect(Math.min(...after)).toBeLessThan(250);
});

test('the same watch catches a build that says it before the transaction has ended', async ({
  page,
}) => {
  await page.addInitScript(watch);
  await page.addInitScript(() => {
    const { addEventListener }: { addEventListener: (...args: unknown[]) => void } =
      EventTarget.prototype as never;
    IDBTransaction.prototype.addEventListener = function (
      this: IDBTransaction,
      type: string,
      listener: EventListenerOrEventListenerObject | null,
    ) {
      if (type === 'complete' && this.mode === 'readwrite') {
        setTimeout(() => (listener as () => void)(), 0);
      } else addEventListener.call(this, type, listener);
    };
  });
  await atTheTexts(page);
  await type(page, ' More.');
  await expect.poll(() => lies(page)).toContain('Saved, while a transaction is open');
});

test('the same watch catches a build that does not ask for strict durability', async ({ page }) => {
  await page.addInitScript(watch);
  await page.addInitScript(() => {
    const { transaction }: { transaction: (...args: unknown[]) => IDBTransaction } =
      IDBDatabase.prototype as never;
    IDBDatabase.prototype.transaction = function (names, mode) {
      return transaction.call(this, names, mode);
    };
  });
  await atTheTexts(page);
  expect((await lies(page)).join()).toMatch(/a transaction is (default|relaxed)/);
});

test('what was typed or ranked last is there after a reload at the next moment', async ({
  page,
}) => {
  await atTheTexts(page);
  for (let i = 0; i < 5; i++) {
    await type(page, `${i}`);
    await page.reload();
    await expect.poll(async () => (await texts(page))[0]).toMatch(new RegExp(`one\\..*${i}$`));
    await page.evaluate((n) => {
      void window.rlhf.addRanking({ prompt: `p${n}`, completions: ['a', 'b'], ranks: [1, 2] });
      location.reload();
    }, i);
    await page.waitForEvent('load');
    await expect
      .poll(() => page.evaluate(async () => (await window.rlhf.listRankings()).length))
      .toBe(i + 1);
  }
});
