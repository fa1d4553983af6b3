/** Watches a WebGPU device from outside: how long compute passes run, and what is read back. */

/** What the GPU has done under one label. */
export interface GpuCost {
  /** Time inside compute passes by the device's own clock, ms. */
  kernel_ms: number;
  passes: number;
  /** Buffers mapped for reading. */
  readbacks: number;
}

/** A pass takes two queries; a query set holds 4096 at most. */
const PASSES_PER_SET = 2048;

interface PassSet {
  queries: GPUQuerySet;
  labels: string[];
}

/**
 * Watches until `stop`, counting everything under the label of its time. Nothing else may watch.
 * @param device with the feature `timestamp-query`
 */
export function watchGpu(
  device: GPUDevice,
  label: () => string,
): { stop(): Promise<Map<string, GpuCost>> } {
  const sets: PassSet[] = [];
  const readbacks = new Map<string, number>();
  const encoderClass = GPUCommandEncoder.prototype;
  const bufferClass = GPUBuffer.prototype;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- put back below, and called with `this`
  const { beginComputePass } = encoderClass;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- the same
  const { mapAsync } = bufferClass;

  encoderClass.beginComputePass = function (descriptor) {
    let set = sets.at(-1);
    if (set === undefined || set.labels.length === PASSES_PER_SET) {
      const queries = device.createQuerySet({ type: 'timestamp', count: 2 * PASSES_PER_SET });
      set = { queries, labels: [] };
      sets.push(set);
    }
    const begin = 2 * set.labels.push(label()) - 2;
    return beginComputePass.call(this, {
      ...descriptor,
      timestampWrites: {
        querySet: set.queries,
        beginningOfPassWriteIndex: begin,
        endOfPassWriteIndex: begin + 1,
      },
    });
  };
  bufferClass.mapAsync = function (mode, ...rest) {
    if (mode === GPUMapMode.READ) readbacks.set(label(), (readbacks.get(label()) ?? 0) + 1);
    return mapAsync.call(this, mode, ...rest);
  };

  return {
    stop: async () => {
      encoderClass.beginComputePass = beginComputePass;
      bufferClass.mapAsync = mapAsync;
      const costs = new Map<string, GpuCost>();
      const at = (name: string): GpuCost => {
        const cost = costs.get(name) ?? { kernel_ms: 0, passes: 0, readbacks: 0 };
        costs.set(name, cost);
        return cost;
      };
      for (const [name, count] of readbacks) at(name).readbacks = count;
      for (const { queries, labels } of sets) {
        const times = await readTimes(device, queries, 2 * labels.length);
        labels.forEach((name, i) => {
          const cost = at(name);
          // The clock may step back when it is reset between two passes.
          const ns = times[2 * i + 1]! - times[2 * i]!;
          cost.kernel_ms += Math.max(0, Number(ns) / 1e6);
          cost.passes++;
        });
        queries.destroy();
      }
      return costs;
    },
  };
}

/** Nanoseconds. */
async function readTimes(
  device: GPUDevice,
  queries: GPUQuerySet,
  count: number,
): Promise<BigUint64Array> {
  const size = count * 8;
  const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const resolved = device.createBuffer({ size, usage: QUERY_RESOLVE | COPY_SRC });
  const readable = device.createBuffer({ size, usage: COPY_DST | MAP_READ });
  const encoder = device.createCommandEncoder();
  encoder.resolveQuerySet(queries, 0, count, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, readable, 0, size);
  device.queue.submit([encoder.finish()]);
  await readable.mapAsync(GPUMapMode.READ);
  const times = new BigUint64Array(readable.getMappedRange().slice(0));
  resolved.destroy();
  readable.destroy();
  return times;
}
