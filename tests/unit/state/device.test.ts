import { describe, expect, it } from 'vitest';
import type { DeviceVerdict } from '../../../src/core/device-report';
import { App } from '../../../src/state/app.svelte';
import { Preferences } from '../../../src/state/preferences.svelte';
import { aRun, announce, memoryStore, scriptedLink } from './parts';

const VERDICT: DeviceVerdict = {
  key: 'card · 1',
  backend: 'webgpu',
  families: [
    {
      family: 'linear',
      chosen: 'shared',
      timedAt: '8 by 8',
      candidates: [
        { variant: 'registers', maxError: 1e-7, ms: 2, verdict: 'slower', reason: null },
        { variant: 'shared', maxError: null, ms: 1, verdict: 'chosen', reason: null },
      ],
    },
  ],
  fallback: [{ backend: 'wasm', ms: null, reason: 'no' }],
  checkedAt: 5,
  ms: 6,
};
const KEY = 'rlhf-playground.preferences';

function storage(initial: Record<string, unknown> = {}) {
  const kept = new Map([[KEY, JSON.stringify(initial)]]);
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
}

async function started(preferences: Preferences) {
  const info = { backend: 'webgpu', adapter: 'card', fallbackReason: null, verdict: VERDICT };
  const { link, calls } = scriptedLink({ init: info, deviceReport: { backend: 'webgpu' } });
  const app = new App({
    baseUrl: 'data:,',
    preferences,
    openStore: async () => memoryStore().store,
    files: null,
    startWorker: () => link,
  });
  await app.start();
  const requests = (name: string) =>
    calls.filter((call) => call.name === name).map(({ request }) => request);
  return { app, requests };
}

describe('what was chosen for the device', () => {
  it('is kept from one start of the page to the next', async () => {
    const local = storage();
    const first = await started(new Preferences(local));
    expect(first.requests('init')).toMatchObject([{ remembered: null, thorough: false }]);
    const second = await started(new Preferences(local));
    expect(second.requests('init')).toMatchObject([{ remembered: VERDICT, thorough: false }]);
  });

  it('is forgotten when it is not what this release writes', () => {
    const wrong: unknown[] = [
      'fast',
      { ...VERDICT, backend: 'quantum' },
      { ...VERDICT, families: [{ ...VERDICT.families[0], chosen: 'warp' }] },
      { ...VERDICT, families: null },
    ];
    for (const deviceVerdict of wrong) {
      expect(new Preferences(storage({ deviceVerdict })).deviceVerdict).toBeNull();
    }
    const fine = new Preferences(storage({ deviceVerdict: VERDICT, theme: 'dark' }));
    expect([fine.deviceVerdict, fine.theme]).toEqual([VERDICT, 'dark']);
  });

  it('is made anew on demand, and then kept; the engine is ready again afterwards', async () => {
    const { app, requests } = await started(new Preferences(storage()));
    await app.checkDeviceAgain();
    expect(requests('init')).toMatchObject([{ thorough: false }, { thorough: true }]);
    expect(app.engine.status).toBe('ready');
  });

  it('is not touched while a run is under way', async () => {
    const { app, requests } = await started(new Preferences(storage()));
    const project = app.openedProject();
    announce(project, aRun(project, 'sft', 1, { status: 'running' }));
    await expect(app.checkDeviceAgain()).rejects.toMatchObject({ code: 'busy' });
    expect(requests('init')).toHaveLength(1);
    expect(app.engine.status).toBe('ready');
  });
});

it('the report is asked of the worker, measured or not', async () => {
  const { app, requests } = await started(new Preferences(null));
  expect(await app.engine.report({ measure: false })).toEqual({ backend: 'webgpu' });
  await app.engine.report({ measure: true });
  expect(requests('deviceReport')).toEqual([{ measure: false }, { measure: true }]);
});
