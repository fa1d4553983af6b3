import { expect, test } from './fixture';

const DEMONSTRATIONS = Array.from(
  { length: 8 },
  (_, i) => `Prompt: Where is the boat ${i}?\nResponse: The boat is by the pier, my friend.`,
).join('\n\n');

/** Enough that the pause comes in the middle on a fast machine too. */
const ITERATIONS = 24;

test('a page that is reloaded in mid-PPO has everything, and the run goes on from its checkpoint', async ({
  page,
}) => {
  await page.goto('/');
  const id = await page.evaluate(async (text) => {
    const { rlhf } = window;
    await rlhf.ready();
    const project = await rlhf.newProject({ name: 'Reloaded', base: 'nano', seed: 7 });
    await rlhf.addDemonstrations(text);
    await rlhf.trainSft({ num_train_epochs: 1 });
    for (let i = 0; i < 6; i++) {
      await rlhf.addRanking({
        prompt: `Who has the rope ${i}?`,
        completions: ['Thank you for asking. Tom has it.', 'Go away.', 'No.', 'It is in the shed.'],
        ranks: [1, 4, 3, 2],
        labeler: 'me',
        flags: [[], ['insult'], [], []],
      });
    }
    await rlhf.trainReward({});
    return project;
  }, DEMONSTRATIONS);

  // PPO is started and paused in the middle (pausing takes a checkpoint), then the page goes away
  await page.evaluate((num_iterations) => {
    void window.rlhf
      .trainPpo({ num_iterations, rollout_batch_size: 4, response_length: 8 })
      .catch(() => undefined);
  }, ITERATIONS);
  const rows = () => page.evaluate(() => window.rlhf.metrics('ppo'));
  await expect.poll(async () => (await rows()).length, { timeout: 60_000 }).toBeGreaterThan(1);
  await page.evaluate(() => window.rlhf.pause());
  const before = await rows();
  expect(before.length).toBeLessThan(ITERATIONS);
  await page.reload();

  await page.evaluate(() => window.rlhf.ready());
  expect((await page.evaluate(() => window.rlhf.listProjects())).map((p) => p.id)).toContain(id);
  expect(await page.evaluate(() => window.rlhf.listDemonstrations())).toHaveLength(8);
  expect(await page.evaluate(() => window.rlhf.listRankings())).toHaveLength(6);
  expect(await rows()).toEqual(before);

  await page
    .getByRole('button', { name: /resume/i })
    .first()
    .click();
  await expect.poll(async () => (await rows()).length, { timeout: 60_000 }).toBe(ITERATIONS);
  const after = await rows();
  expect(after.slice(0, before.length)).toEqual(before);
  expect(after.map((row) => row['step'])).toEqual(
    Array.from({ length: ITERATIONS }, (_, i) => i + 1),
  );
});
