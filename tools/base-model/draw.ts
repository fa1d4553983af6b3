import { STREAM, uniform } from '../../src/core/rng';

/**
 * Random choices for one document. Every draw is a pure function of (seed, document, position), so
 * document 70 000 can be made without making the 69 999 before it.
 */
export class Draw {
  private position = 0;

  constructor(
    private readonly seed: number,
    private readonly document: number,
  ) {}

  /** A uniform draw in [0, 1). */
  next(): number {
    return uniform(this.seed, STREAM.corpus, this.document, this.position++);
  }

  /** True with probability `p`. */
  chance(p: number): boolean {
    return this.next() < p;
  }

  /** One of `options`, all equally likely. */
  pick<T>(options: readonly T[]): T {
    const option = options[Math.floor(this.next() * options.length)];
    if (option === undefined) throw new Error('pick: no options');
    return option;
  }

  /** One of `options` other than `taken`. */
  other<T>(options: readonly T[], taken: T): T {
    return this.pick(options.filter((option) => option !== taken));
  }

  /** A key of `weights`, as likely as its weight. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const keys = Object.keys(weights) as K[];
    let left = this.next() * keys.reduce((sum, key) => sum + weights[key], 0);
    for (const key of keys) {
      left -= weights[key];
      if (left < 0) return key;
    }
    return keys[keys.length - 1]!;
  }
}

/** `by the pier` → `By the pier`. */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
