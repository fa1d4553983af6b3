/** The whole loop through `window.rlhf`, in a real browser on the production build. */
import type { Page } from '@playwright/test';
import { unzipSync } from 'fflate';
import { expect, scriptReady, test } from './fixture';

const DEMONSTRATIONS = [
  ['Good morning!', 'Good morning, my friend.'],
  ['Where is the soup pot?', 'The soup pot is by the well.'],
  ['Who is Sam?', 'Sam looks for shells on the beach.'],
  ['Is the sea cold?', 'Yes, the sea is cold.'],
].map(([prompt, completion]) => JSON.stringify({ prompt, completion }));
/** Line 3 is cut off, line 5 has no completion. */
const HALF_VALID = [
  ...DEMONSTRATIONS.slice(0, 2),
  '{"prompt": "Can you',
  DEMONSTRATIONS[2],
  '{"prompt":"alone"}',
  DEMONSTRATIONS[3],
].join('\n');

/** The id of `<|end|>` in every tokenizer that this page makes. */
const END_ID = 1;

function expectFinite(rows: Record<string, number>[]): void {
  for (const row of rows) {
    for (const [name, value] of Object.entries(row)) {
      expect(Number.isFinite(value), `${name} is ${value}`).toBe(true);
    }
  }
}

async function open(page: Page): Promise<void> {
  await page.goto('/');
  await scriptReady(page);
}

test('demonstrations, SFT, rankings, reward model, PPO, export and import', async ({ page }) => {
  await open(page);

  const engine = await page.evaluate(() => window.rlhf.ready());
  expect(engine.backend).toBe('webgpu');

  const id = await page.evaluate(() =>
    window.rlhf.newProject({ name: 'By script', base: 'nano', seed: 3 }),
  );
  const report = await page.evaluate((text) => window.rlhf.addDemonstrations(text), HALF_VALID);
  expect(report.added).toBe(4);
  expect(report.rejected.map(({ line }) => line)).toEqual([3, 5]);

  const sft = await page.evaluate(() => window.rlhf.trainSft({ num_train_epochs: 1 }));
  const sftRows = await page.evaluate(() => window.rlhf.metrics('sft'));
  expect(sftRows).toHaveLength(sft.step!);
  expect(sftRows.at(-1)).toEqual(sft);
  expectFinite(sftRows);

  const write = () =>
    window.rlhf.complete({
      model: 'sft',
      prompt: 'Who is Sam?',
      n: 2,
      maxNewTokens: 8,
      temperature: 1,
      seed: 5,
    });
  const completions = await page.evaluate(write);
  expect(completions).toHaveLength(2);
  for (const { tokens, logprobs, finish } of completions) {
    expect(tokens.length).toBeLessThanOrEqual(8);
    expect(finish === 'length').toBe(tokens.length === 8 && tokens.at(-1) !== END_ID);
    expect(logprobs).toHaveLength(tokens.length);
    expect(logprobs.every((value) => value <= 0 && value > -20)).toBe(true);
    expect(Math.min(...logprobs)).toBeLessThan(0);
  }
  expect(completions[0]!.tokens).not.toEqual(completions[1]!.tokens);
  expect(await page.evaluate(write)).toEqual(completions);

  await page.evaluate(async () => {
    for (const prompt of ['Who is Sam?', 'Is the sea cold?', 'Good morning!', 'Where is Ida?']) {
      await window.rlhf.addRanking({
        prompt,
        completions: ['Gladly, my dear.', 'Go away.', 'I do not know.', 'Ask the wall.'],
        ranks: [1, 4, 2, 2],
        labeler: 'script',
        flags: [[], ['insult'], [], []],
      });
    }
  });
  const rankings = await page.evaluate(() => window.rlhf.listRankings());
  expect(rankings).toHaveLength(4);
  expect(rankings[0]).toMatchObject({ ranks: [1, 4, 2, 2], simulated: false, setId: null });

  const reward = await page.evaluate(() => window.rlhf.trainReward({}));
  expect(Object.keys(reward)).toEqual(
    expect.arrayContaining(['step', 'loss', 'accuracy', 'margin']),
  );
  expectFinite([reward]);
  const findings = await page.evaluate(() => window.rlhf.diagnose('reward'));
  expect(findings.map(({ id }) => id)).toContain('too-few-rankings');
  expect(await page.evaluate(() => window.rlhf.diagnose('ppo'))).toEqual([]);
  const item = { prompt: 'Who is Sam?', completion: 'Gladly, my dear.' };
  const score = await page.evaluate((it) => window.rlhf.score(it), item);
  expect(Number.isFinite(score)).toBe(true);

  const ppo = await page.evaluate(() =>
    window.rlhf.trainPpo({ num_iterations: 2, rollout_batch_size: 4, response_length: 8 }),
  );
  expect(ppo.step).toBe(2);
  const rows = await page.evaluate(() => window.rlhf.metrics('ppo'));
  expect(rows).toHaveLength(2);
  expectFinite(rows);
  expect(Object.keys(rows[0]!)).toEqual(
    expect.arrayContaining([
      'objective/kl',
      'objective/scores',
      'objective/rlhf_reward',
      'objective/entropy',
      'policy/approxkl_avg',
      'loss/policy_avg',
      'loss/value_avg',
      'val/ratio',
    ]),
  );

  // A copy through a file answers and scores as the original does.
  const copy = await page.evaluate(async (it) => {
    const blob = await window.rlhf.exportProject();
    const copyId = await window.rlhf.importProject(blob);
    await window.rlhf.openProject(copyId);
    return {
      id: copyId,
      bytes: blob.size,
      score: await window.rlhf.score(it),
      demonstrations: await window.rlhf.listDemonstrations(),
      rankings: await window.rlhf.listRankings(),
      rows: await window.rlhf.metrics('ppo'),
    };
  }, item);
  expect(copy.id).not.toBe(id);
  expect(copy.bytes).toBeGreaterThan(500_000);
  expect(copy.score).toBe(score);
  expect(copy.demonstrations).toHaveLength(4);
  expect(copy.rankings.map(({ ranks }) => ranks)).toEqual(rankings.map(({ ranks }) => ranks));
  expect(copy.rows).toEqual(rows);

  await page.evaluate((it) => window.rlhf.deleteProject(it), copy.id);
  const projects = await page.evaluate(() => window.rlhf.listProjects());
  expect(projects.map((project) => project.id)).not.toContain(copy.id);
  expect(projects.map((project) => project.id)).toContain(id);
});

test('a model leaves as a Hugging Face folder, comes back, and a new project stands on it', async ({
  page,
}) => {
  await open(page);
  const zip = await page.evaluate(async () => {
    await window.rlhf.ready();
    await window.rlhf.newProject({ name: 'Out', base: 'nano', seed: 1 });
    const blob = await window.rlhf.exportHuggingFace('base');
    return [...new Uint8Array(await blob.arrayBuffer())];
  });
  const files = unzipSync(Uint8Array.from(zip));
  expect(Object.keys(files).sort()).toEqual([
    'PREFERENCES.md',
    'README.md',
    'config.json',
    'generation_config.json',
    'model.safetensors',
    'preferences.json',
    'tokenizer.json',
    'tokenizer_config.json',
  ]);
  const answers = await page.evaluate(
    async (contents) => {
      const { rlhf } = window;
      const chosen = contents.map(([name, bytes]) => new File([Uint8Array.from(bytes)], name));
      const ask = () => rlhf.complete({ model: 'base', prompt: 'Who is Sam?', seed: 3 });
      const before = await ask();
      const id = await rlhf.importHuggingFace(chosen);
      const project = await rlhf.newProject({ name: 'Back', base: id, seed: 1 });
      return { before, after: await ask(), project, projects: await rlhf.listProjects() };
    },
    Object.entries(files).map(([name, bytes]) => [name, [...bytes]] as const),
  );
  expect(answers.after).toEqual(answers.before);
  expect(answers.projects.map(({ id }) => id)).toContain(answers.project);

  const refused = await page.evaluate(async () => {
    const describe = (error: unknown) => {
      const { code, field } = error as { code: string; field: string };
      return { code, field };
    };
    const { rlhf } = window;
    return [
      await rlhf.newProject({ base: 'no such base' }).catch(describe),
      await rlhf.importHuggingFace([new File(['{}'], 'config.json')]).catch(describe),
      await rlhf.exportHuggingFace('ppo').catch(describe),
    ];
  });
  expect(refused).toMatchObject([
    { code: 'argument', field: 'base' },
    { code: 'format' },
    { code: 'missing', field: 'ppo' },
  ]);
});

test('everything stays after a reload', async ({ page }) => {
  await open(page);
  await page.evaluate(async () => {
    await window.rlhf.newProject({ name: 'Stays', base: 'nano', seed: 1 });
    await window.rlhf.addDemonstrations('Prompt: a\nResponse: b\n');
  });
  await page.reload();
  await scriptReady(page);
  const kept = await page.evaluate(async () => ({
    demonstrations: await window.rlhf.listDemonstrations(),
    projects: await window.rlhf.listProjects(),
  }));
  expect(kept.projects.map(({ name }) => name)).toContain('Stays');
  expect(kept.demonstrations).toMatchObject([{ prompt: 'a', completion: 'b' }]);
});

test('bad arguments are refused with a typed error that names the field', async ({ page }) => {
  await open(page);
  const failures = await page.evaluate(async () => {
    const describe = async (call: Promise<unknown>): Promise<unknown> => {
      try {
        return { resolved: await call };
      } catch (error) {
        const { name, code, field } = error as { name: string; code: string; field: string };
        return { name, code, field };
      }
    };
    const { rlhf } = window;
    return Promise.all([
      describe(rlhf.newProject({ seed: 1.5 })),
      describe(rlhf.trainPpo({ kl_coef: -1 })),
      describe(rlhf.complete({ model: 'sft', prompt: 'p', n: 0 })),
      describe(rlhf.addRanking({ prompt: 'p', completions: ['a', 'b'], ranks: [1] })),
    ]);
  });
  const refused = (field: string) => ({ name: 'PlaygroundError', code: 'argument', field });
  expect(failures).toEqual(['seed', 'kl_coef', 'n', 'ranks'].map(refused));
});
