/** What the GPU refuses, in words that name the kernel or buffer, the limit and what to do. */
import { PlaygroundError } from '../core/errors';

const SMALLER = 'Use a smaller batch, a shorter context or a smaller model';
/** Messages of shader compilers quote whole programs. */
const QUOTED = 600;

let allocating = (): string => 'a tensor';

/** Names what the buffers made in `body` are for, should the GPU have no room for them. */
export function allocatingFor<T>(what: () => string, body: () => T): T {
  const outer = allocating;
  allocating = what;
  try {
    return body();
  } finally {
    allocating = outer;
  }
}

/** What buffers are being made for. */
export function allocationInHand(): string {
  return allocating();
}

/** 1 234 567 → '1.2 MiB'. */
export function inMiB(bytes: number): string {
  const mib = bytes / 2 ** 20;
  return `${mib < 100 ? mib.toFixed(1) : Math.round(mib)} MiB`;
}

/** @param what as `allocationInHand` says; @param held bytes that the engine has on the GPU */
export function outOfMemory(what: string, bytes: number, held: number): PlaygroundError {
  return new PlaygroundError({
    code: 'engine',
    field: what,
    message: `The GPU has no memory left for ${what}: ${inMiB(bytes)} were wanted, ${inMiB(held)} are in use.`,
    remedy: `${SMALLER}, or close other pages that use the GPU.`,
  });
}

/** A buffer that this device could never hold. */
export function overLimit(
  what: string,
  bytes: number,
  limit: 'maxBufferSize' | 'maxStorageBufferBindingSize',
  allowed: number,
): PlaygroundError {
  return new PlaygroundError({
    code: 'engine',
    field: limit,
    message: `${what} needs a buffer of ${inMiB(bytes)}; this GPU allows ${inMiB(allowed)} (${limit}).`,
    remedy: `${SMALLER}.`,
  });
}

export function brokenKernel(label: string, reason: string): PlaygroundError {
  return new PlaygroundError({
    code: 'engine',
    field: label,
    message: `Kernel ${label} does not compile on this GPU: ${reason.slice(0, QUOTED)}`,
    remedy:
      'Check the device again (Device report); if it happens again, report it with that text.',
  });
}

/** An error that no error scope caught, so nothing but its own words tell where it comes from. */
export function refusedCommand(error: GPUError, held: number): PlaygroundError {
  if (error instanceof GPUOutOfMemoryError) return outOfMemory(error.message, 0, held);
  return new PlaygroundError({
    code: 'engine',
    message: `The GPU refused a command: ${error.message.slice(0, QUOTED)}`,
    remedy: `${SMALLER}, or choose the wasm backend.`,
  });
}
