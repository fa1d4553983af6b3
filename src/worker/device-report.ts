/** What the Device report shows: gathered where the device is. */
import type { DeviceReport, DeviceSpeed, DeviceVerdict } from '../core/device-report';
import type { OpenedEngine } from '../engine/backend';
import { measureDevice } from '../engine/device-measure';

export interface DeviceFacts {
  engine: OpenedEngine;
  verdict: DeviceVerdict;
  /** The verdict is that of an earlier start. */
  remembered: boolean;
  /** As measured last. */
  speed: DeviceSpeed | null;
}

/** @param measure measures anew and keeps the outcome in `facts`; nothing else may compute then */
export async function deviceReport(facts: DeviceFacts, measure: boolean): Promise<DeviceReport> {
  if (measure) facts.speed = await measureDevice();
  const { engine, verdict, remembered, speed } = facts;
  const { backend, adapter, isSoftware, limits, features, refused, fallbackReason } = engine;
  return {
    backend,
    adapter,
    isSoftware,
    browser: navigator.userAgent,
    limits: backend === 'webgpu' ? { ...limits } : {},
    features,
    refused,
    fallbackReason,
    verdict,
    remembered,
    speed,
  };
}
