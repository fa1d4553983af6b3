import { expect, test } from 'vitest';
import type { DeviceReport } from '../../../src/core/device-report';
import { limitValue, milliseconds } from '../../../src/ui/device/device-words';
import { reportText } from '../../../src/ui/device/report-text';

const REPORT: DeviceReport = {
  backend: 'webgpu',
  adapter: 'acme rocket',
  isSoftware: false,
  browser: 'Browser/1',
  limits: { maxBufferSize: 2 ** 30, maxStorageBuffersPerShaderStage: 10 },
  features: [
    { name: 'shader-f16', offered: true, enabled: true },
    { name: 'subgroups', offered: false, enabled: false },
  ],
  refused: null,
  fallbackReason: null,
  verdict: {
    key: 'acme rocket · abcd',
    backend: 'webgpu',
    families: [
      {
        family: 'linear',
        chosen: 'registers',
        timedAt: '[64, 128] by [344, 128]',
        candidates: [
          { variant: 'registers', maxError: 2.3e-7, ms: 0.0312, verdict: 'chosen', reason: null },
          { variant: 'shared', maxError: null, ms: null, verdict: 'failed', reason: 'too big' },
        ],
      },
    ],
    fallback: [],
    checkedAt: Date.UTC(2026, 10, 23, 9, 5),
    ms: 312.4,
  },
  remembered: false,
  speed: {
    readbackMs: 1.25,
    matmulGflops: 1234.5,
    matmulShape: [256, 256, 256],
    tokensPerSecond: 20480,
    trainingShape: [16, 64],
    stepMs: 50,
    submission: { kernels: 64, longestMs: 12 },
    numerics: {
      expError: 1.4e-6,
      inverseSqrtError: 8e-8,
      keepsSubnormals: false,
      keepsNaN: true,
      repeatable: true,
    },
  },
};

test('the text for a bug report holds everything that the report shows', () => {
  expect(reportText(REPORT)).toBe(`RLHF Playground, device report
backend: WebGPU, adapter: acme rocket
browser: Browser/1

check of 2026-11-23 09:05 UTC (312 ms), acme rocket · abcd
  linear: registers, timed at [64, 128] by [344, 128]
    registers: 0.031 ms, error 2e-7, chosen
    shared: –, error –, does not run: too big

readback: 1.3 ms
matmul: 1,234.5 GFLOP/s at 256 × 256 × 256
training step, tiny, 16 × 64: 50 ms, 20,480 tokens/s
submissions: 64 kernels, longest 12 ms
exp: error 1e-6, 1/sqrt: error 8e-8, keeps subnormals: no, keeps NaN: yes, repeats bit for bit: yes

maxBufferSize: 1 GiB
maxStorageBuffersPerShaderStage: 10
shader-f16: on
subgroups: not offered
`);
});

test('without WebGPU it tells why, and what both stand-ins took', () => {
  const text = reportText({
    ...REPORT,
    backend: 'wasm',
    adapter: 'WebAssembly',
    limits: {},
    features: [],
    refused: 'Required limit (2) is greater than the supported limit (1)',
    fallbackReason: 'This browser has no WebGPU.',
    verdict: {
      ...REPORT.verdict!,
      families: [],
      fallback: [
        { backend: 'wasm', ms: 81.2, reason: null },
        { backend: 'webgl', ms: null, reason: 'WebGL could not be started' },
      ],
    },
    remembered: true,
    speed: null,
  });
  expect(text).toContain('fallback: This browser has no WebGPU.\n');
  expect(text).toContain('limits refused: Required limit (2)');
  expect(text).toContain('(remembered)');
  expect(text).toContain('WebAssembly: step 81 ms, chosen\n');
  expect(text).toContain('WebGL: step –, WebGL could not be started');
  expect(text).not.toMatch(/readback|maxBufferSize/);
});

test('sizes and times are written for people', () => {
  expect([
    limitValue('maxBufferSize', 2 ** 31),
    limitValue('maxStorageBufferBindingSize', 128 * 2 ** 20),
    limitValue('maxComputeWorkgroupStorageSize', 32768),
    limitValue('maxComputeWorkgroupsPerDimension', 65535),
  ]).toEqual(['2 GiB', '128 MiB', '32 KiB', '65,535']);
  expect([0.00123, 4.96, 99.4, 1234.5, null].map(milliseconds)).toEqual([
    '0.0012 ms',
    '5 ms',
    '99 ms',
    '1235 ms',
    '–',
  ]);
});
