/** The lesson as the page asks for it: exact numbers, never above the frontier, stopped when told. */
import { expect, test } from 'vitest';
import { SFT, workerTests } from '../worker-session';

const at = workerTests();
const KL_COEF = 0.3;

const starts = () => at.events.flatMap((event) => (event.kind === 'lesson' ? [event.start] : []));
const points = () =>
  at.events.flatMap((event) => (event.kind === 'lesson-point' ? [event.point] : []));

test('tells the optimum, then the policy after each iteration, and keeps the machine to itself', async () => {
  const { client, projectId } = at;
  const lesson = client.call('lesson', { kl_coef: KL_COEF, seed: 2 });
  await expect.poll(() => points().length, { timeout: 60_000 }).toBeGreaterThan(3);
  await expect(
    client.call('startRun', { projectId, stage: 'sft', config: SFT }),
  ).rejects.toMatchObject({ code: 'busy' });
  await expect(client.call('lesson', { kl_coef: 1, seed: 1 })).rejects.toMatchObject({
    code: 'busy',
  });
  await client.call('stopLesson', {});
  await lesson;
  const told = points().length;

  expect(starts()).toHaveLength(1);
  const { best, frontier, startReward, answers, iterations } = starts()[0]!;
  expect(told).toBeLessThan(iterations);
  for (const [i, { iteration, reward, kl, gapClosed, probabilities }] of points().entries()) {
    expect(iteration).toBe(i + 1);
    expect(kl).toBeGreaterThanOrEqual(-1e-6);
    const objective = reward - KL_COEF * kl;
    expect(objective).toBeLessThanOrEqual(best.objective + 1e-5);
    expect(gapClosed).toBeCloseTo((objective - startReward) / (best.objective - startReward), 6);
    expect(probabilities).toHaveLength(answers.length);
  }
  // no policy is above the line: the best reward at a KL is the frontier's
  for (const { reward, kl } of points()) {
    const beyond = frontier.find((point) => point.kl >= kl);
    if (beyond !== undefined) expect(reward).toBeLessThanOrEqual(beyond.reward + 1e-5);
  }

  // over: nothing more is told, and a run can start
  await client.call('stopLesson', {});
  expect(points()).toHaveLength(told);
  await at.train('sft', { ...SFT, num_train_epochs: 1 });
});
