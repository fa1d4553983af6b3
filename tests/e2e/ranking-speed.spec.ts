import { expect, test } from './fixture';
import { openProjectWith, rankedBy, someSets } from './ranking-board';

/** The promise for 10 000 rankings of 9 completions, ms, on a machine that draws without a GPU. */
const OPENS_WITHIN_MS = 300;

const NINE = Array.from({ length: 9 }, (_, i) => `It is by the well number ${i}, my friend.`);

test('with 10 000 rankings of nine completions the stage opens in 300 ms', async ({ page }) => {
  const sets = someSets(2000).map((set) => ({
    ...set,
    completions: NINE.map((text) => ({ ...set.completions[0]!, text })),
    order: NINE.map((_, i) => i),
  }));
  const others = ['anna', 'ben', 'cleo', 'dan', 'eva'];
  const ranked = others.flatMap((labeler, i) =>
    rankedBy([labeler], sets).map((ranking) => ({
      ...ranking,
      id: `${ranking.id}-${labeler}`,
      seq: ranking.seq + i * sets.length,
      // A person half way through, so that the board, both lists and the pace have work to do.
      labeler: labeler === 'anna' && ranking.seq < 1000 ? 'me' : labeler,
    })),
  );
  await openProjectWith(page, sets, ranked);
  await expect(page.getByText('Saved', { exact: true })).toBeVisible();
  const opened = await page.evaluate(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const step = (name: string): HTMLElement => {
      const steps = [...document.querySelectorAll<HTMLElement>('nav[aria-label="Steps"] *')];
      return steps.find(({ textContent }) => textContent === name)!;
    };
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      step('SFT').click();
      await frame();
      await frame();
      const before = performance.now();
      step('Rankings').click();
      await frame();
      await frame();
      times.push(performance.now() - before);
      if (document.querySelector('[data-board]') === null) throw new Error('There is no board.');
    }
    return times;
  });
  console.log(`opened in ${opened.map((ms) => ms.toFixed(0)).join(', ')} ms`);
  // The first is what a person waits for; the median keeps a neighbour's job out of it.
  const [, , median] = opened.toSorted((a, b) => a - b);
  expect(median).toBeLessThan(OPENS_WITHIN_MS);
  await expect(page.getByTestId('ranking-counts')).toContainText('10000 by 6 people');
});
