/**
 * Which variant of each kernel family runs on this device. Software adapters want work without
 * barriers, graphics cards want shared memory: the start-up check measures and chooses, so nothing
 * here looks at the adapter's name.
 */
import type { KernelFamily, Variant } from '../core/device-report';

const chosen = new Map<KernelFamily, Variant>();

/**
 * The variant that ops of this family dispatch; `registers` until one was chosen. For `reference`
 * `useKernels(family)` is false, so that the op goes through its reference composition.
 */
export function variantOf(family: KernelFamily): Variant {
  return chosen.get(family) ?? 'registers';
}

/** From the next dispatch on. */
export function chooseVariant(family: KernelFamily, variant: Variant): void {
  chosen.set(family, variant);
}

/** Back to `registers` everywhere: another device may want others. */
export function forgetVariants(): void {
  chosen.clear();
}
