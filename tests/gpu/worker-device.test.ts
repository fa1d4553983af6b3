/** The Device report as the worker gives it, and the memory of what was chosen. */
import { expect, test } from 'vitest';
import { KERNEL_FAMILIES } from '../../src/core/device-report';
import { baseUrl, SFT, workerTests } from '../worker-session';

const at = workerTests();

test('what was chosen is remembered, reported, and made anew when asked for', async () => {
  const { client } = at;
  const { verdict } = await client.call('init', { baseUrl });
  expect(verdict.families.map(({ family }) => family)).toEqual(KERNEL_FAMILIES);
  expect((await client.call('deviceReport', { measure: false })).remembered).toBe(false);

  await client.call('init', { baseUrl, remembered: verdict });
  const report = await client.call('deviceReport', { measure: false });
  expect(report).toMatchObject({ backend: 'webgpu', remembered: true, verdict, speed: null });
  expect(report.fallbackReason).toBeNull();
  expect(report.limits['maxBufferSize']).toBeGreaterThanOrEqual(256 * 2 ** 20);
  expect(report.features.map(({ name }) => name)).toContain('shader-f16');

  // Of another release, or thoroughly: nothing of it is believed.
  const foreign = { ...verdict, key: 'foreign', checkedAt: 1 };
  const anew = await client.call('init', { baseUrl, remembered: foreign });
  expect(anew.verdict.checkedAt).toBeGreaterThan(1);
  const thorough = { baseUrl, remembered: verdict, thorough: true };
  const { families } = (await client.call('init', thorough)).verdict;
  const verdicts = families.flatMap(({ candidates }) => candidates.map((one) => one.verdict));
  // Two of each, and three of those that sum rows: this adapter has subgroups.
  expect(verdicts).toHaveLength(2 * KERNEL_FAMILIES.length + 4);
  expect(verdicts).not.toContain('untried');
});

test('measuring waits for no run, keeps its outcome, and training goes on afterwards', async () => {
  const { client, projectId } = at;
  await client.call('startRun', { projectId, stage: 'sft', config: SFT });
  await client.call('pause', {});
  await expect(client.call('deviceReport', { measure: true })).rejects.toMatchObject({
    code: 'busy',
  });
  expect((await client.call('deviceReport', { measure: false })).speed).toBeNull();
  await client.call('stop', {});

  const { speed } = await client.call('deviceReport', { measure: true });
  expect(speed!.readbackMs).toBeGreaterThan(0);
  expect(speed!.matmulGflops).toBeGreaterThan(0.01);
  expect(speed!.tokensPerSecond).toBeCloseTo(
    (speed!.trainingShape[0] * speed!.trainingShape[1] * 1000) / speed!.stepMs,
  );
  expect(speed!.submission!.kernels).toBeGreaterThan(0);
  expect(speed!.submission!.longestMs).toBeGreaterThan(0);
  expect(speed!.numerics).toMatchObject({ repeatable: true });
  expect(speed!.numerics.expError).toBeLessThan(1e-4);
  expect((await client.call('deviceReport', { measure: false })).speed).toEqual(speed);
  await at.train('sft', { ...SFT, num_train_epochs: 1 });
});

test('without WebGPU the report tells which stand-in was taken, both times and why', async () => {
  const { client } = at;
  await client.call('init', { baseUrl, forceBackend: 'wasm' });
  const report = await client.call('deviceReport', { measure: false });
  expect(report).toMatchObject({ backend: 'wasm', limits: {}, features: [], refused: null });
  expect(report.verdict).toMatchObject({ backend: 'wasm', families: [], fallback: [] });
});
