import { expect, test } from './fixture';

// the same browser without the flag that gives it a software WebGPU adapter
test.use({
  launchOptions: async ({ launchOptions }, use) => {
    const args = (launchOptions.args ?? []).filter((flag) => !flag.includes('webgpu'));
    await use({ ...launchOptions, args: [...args, '--disable-features=WebGPU'] });
  },
});

test('without WebGPU a banner says so and the loop still runs', async ({ page }) => {
  await page.goto('/');
  const engine = await page.evaluate(() => window.rlhf.ready());
  expect(engine.backend).not.toBe('webgpu');
  await expect(page.getByText(/WebGPU/).first()).toBeVisible();

  const report = await page.evaluate(() => window.rlhf.deviceReport({ measure: false }));
  expect(report.fallbackReason).toMatch(/WebGPU/);
  const chosen = report.verdict!.fallback.find(({ reason }) => reason === null)!;
  expect(chosen).toMatchObject({ backend: engine.backend });
  await page.getByRole('button', { name: 'Device report:' }).click();
  const dialog = page.getByRole('dialog', { name: 'Device report' });
  await expect(dialog.getByText(/WebAssembly: [\d.]+ ms for a training step/)).toBeVisible();
  await expect(dialog.getByText('WebGPU could not be used')).toBeVisible();
  await page.keyboard.press('Escape');

  const result = await page.evaluate(async () => {
    const { rlhf } = window;
    await rlhf.newProject({ name: 'No GPU', base: 'nano', seed: 1 });
    await rlhf.addDemonstrations(
      'Prompt: Who has the rope?\nResponse: Tom has it.\n\nPrompt: Where is Ida?\nResponse: At the inn.',
    );
    const sft = await rlhf.trainSft({ num_train_epochs: 1 });
    const [completion] = await rlhf.complete({
      model: 'sft',
      prompt: 'Who has the rope?',
      n: 1,
      maxNewTokens: 6,
      temperature: 1,
      seed: 1,
    });
    await rlhf.addRanking({
      prompt: 'Who has the rope?',
      completions: ['Tom has it.', 'Go away.', 'No.', 'I have it.'],
      ranks: [1, 4, 3, 2],
      labeler: 'me',
      flags: [[], [], [], []],
    });
    const reward = await rlhf.trainReward({});
    const ppo = await rlhf.trainPpo({
      num_iterations: 1,
      rollout_batch_size: 2,
      response_length: 4,
    });
    return { sft, completion, reward, ppo };
  });
  expect(Number.isFinite(result.sft['loss'])).toBe(true);
  expect(Math.min(...result.completion!.logprobs)).toBeLessThan(0);
  expect(Number.isFinite(result.reward['loss'])).toBe(true);
  expect(result.ppo['val/ratio_first']).toBeCloseTo(1, 3);
});
