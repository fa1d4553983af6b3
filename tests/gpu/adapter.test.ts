import { expect, test } from 'vitest';

test('this browser gives a WebGPU adapter and a device that computes', async () => {
  const adapter = await navigator.gpu?.requestAdapter();
  if (adapter === null || adapter === undefined) {
    throw new Error(
      'There is no WebGPU adapter, and the GPU tests do not run without one. ' +
        'Set CHROME_BIN to a Chrome or Chromium that has WebGPU.',
    );
  }
  const device = await adapter.requestDevice();
  const module = device.createShaderModule({
    code: `
      @group(0) @binding(0) var<storage, read_write> values: array<u32>;
      @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) {
        values[id.x] = values[id.x] * 3u;
      }`,
  });
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const values = device.createBuffer({ size: 16, usage: STORAGE | COPY_SRC | COPY_DST });
  const result = device.createBuffer({ size: 16, usage: MAP_READ | COPY_DST });
  device.queue.writeBuffer(values, 0, new Uint32Array([1, 2, 3, 5]));

  const commands = device.createCommandEncoder();
  const pass = commands.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer: values } }],
    }),
  );
  pass.dispatchWorkgroups(1);
  pass.end();
  commands.copyBufferToBuffer(values, 0, result, 0, 16);
  device.queue.submit([commands.finish()]);
  await result.mapAsync(GPUMapMode.READ);

  expect([...new Uint32Array(result.getMappedRange())]).toEqual([3, 6, 9, 15]);
  device.destroy();
});
