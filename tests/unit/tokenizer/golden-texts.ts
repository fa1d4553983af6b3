/** The 10 000 texts of tools/golden/tokenizer_fixture.py, drawn again, and the hash of their ids. */
import { readFileSync } from 'node:fs';

interface Kind {
  /** The end-of-text token; our own tokenizer has `<|end|>`. */
  end?: string;
  /** base64 of 10 000 u16-LE hashes: special tokens typed in the text stay text. */
  asText: string;
  /** The same with special tokens parsed. */
  parsed: string;
  samples?: { text: string; ids: number[] }[];
}

interface Fixture {
  units: string[][];
  ranges: [number, number][];
  kinds: Record<string, Kind>;
}

const folder = new URL('../../golden/tokenizer/', import.meta.url);

export const goldenFile = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

const fixture = JSON.parse(goldenFile('texts.json')) as Fixture;

export const { kinds } = fixture;
export const TEXTS = 10_000;

/** mulberry32: 32 bits at a time. */
export function draws(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
}

export function makeText(number: number): string {
  const { units, ranges } = fixture;
  const draw = draws(number);
  const kind = draw() % (units.length + 2);
  const length = 1 + (draw() % 32);
  const list = units[kind];
  let text = '';
  for (let i = 0; i < length; i++) {
    if (list !== undefined) {
      text += list[draw() % list.length]!;
    } else {
      const [low, high] = ranges[draw() % ranges.length]!;
      text += String.fromCodePoint(low + (draw() % (high - low + 1)));
    }
  }
  return text;
}

/** FNV-1a over whole ids, folded to 16 bits. */
export function hashIds(ids: readonly number[]): number {
  let hash = 0x811c9dc5;
  for (const id of ids) hash = Math.imul(hash ^ id, 0x01000193);
  return (hash ^ (hash >>> 16)) & 0xffff;
}

export function readHashes(base64: string): Uint16Array {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  return new Uint16Array(bytes.buffer);
}
