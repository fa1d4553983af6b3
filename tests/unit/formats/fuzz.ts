/** Damages files in every way that comes to mind, reproducibly: number i is always the same file. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { PlaygroundError } from '../../../src/core/errors';
import { draws } from '../tokenizer/golden-texts';

export const FUZZED_FILES = 10_000;
const SLOWEST_MS = 1000;
/** A busy machine may hold up any parser once; one that is slow is slow again. */
const TRIES = 3;
const MOST_BYTES = 256 * 2 ** 20;

type Draw = () => number;

/** Too deep for what calls itself at every level, JSON.stringify too; JSON.parse does not. */
const DEEP = '['.repeat(20_000) + ']'.repeat(20_000);
/** Values that have no business where they are put. */
const HOSTILE: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  0.5,
  7,
  2 ** 31,
  2 ** 53,
  1e300,
  '',
  'x',
  '\ud800',
  '__proto__',
  'constructor',
  '☃'.repeat(300),
  [],
  [[]],
  {},
  [1, 'a', null],
  { type: 'Sequence' },
  { type: 'ByteLevel' },
];
const BYTES = '{}[]":,0919e-\\ntfu \0\x7f';

/** Places in a JSON value that can be replaced: container and key. */
function places(value: unknown, found: [object, string][] = []): [object, string][] {
  if (typeof value !== 'object' || value === null) return found;
  const keys = Object.keys(value);
  for (const key of keys) {
    // Long lists are much alike: some of their places are enough.
    if (keys.length > 40 && keys.indexOf(key) % 29 !== 0) continue;
    found.push([value, key]);
    places((value as Record<string, unknown>)[key], found);
  }
  return found;
}

/** The JSON text with one to three values replaced, removed, copied or moved. */
function damageValues(json: string, draw: Draw): string {
  const root = { root: JSON.parse(json) as unknown };
  for (let n = 1 + (draw() % 3); n > 0; n--) {
    const all = places(root.root);
    if (all.length === 0) break;
    const pick = (): [Record<string, unknown>, string] =>
      all[draw() % all.length]! as [Record<string, unknown>, string];
    const [holder, key] = pick();
    const [otherHolder, otherKey] = pick();
    switch (draw() % 6) {
      case 0:
        delete holder[key];
        break;
      case 1:
        // copied, so that nothing holds itself
        holder[key] = structuredClone(otherHolder[otherKey]);
        break;
      case 2:
        if (!Array.isArray(holder)) holder[`${key}${BYTES[draw() % BYTES.length]!}`] = holder[key];
        break;
      default:
        holder[key] = structuredClone(HOSTILE[draw() % HOSTILE.length]);
    }
  }
  const text = JSON.stringify(root.root) ?? '';
  return draw() % 50 === 0 ? deepen(text, draw) : text;
}

/** Puts the deep list in the place of some value. */
function deepen(text: string, draw: Draw): string {
  const values = [...text.matchAll(/:([^,:{}[\]]+)/g)];
  const match = values[draw() % Math.max(1, values.length)];
  if (match === undefined) return text;
  return `${text.slice(0, match.index)}:${DEEP}${text.slice(match.index + match[0].length)}`;
}

/** Bytes with some overwritten, cut off, doubled or put in. */
export function damageBytes(good: Uint8Array, draw: Draw): Uint8Array<ArrayBuffer> {
  let bytes = Uint8Array.from(good);
  for (let n = 1 + (draw() % 3); n > 0; n--) {
    const at = draw() % (bytes.length + 1);
    switch (draw() % 5) {
      case 0:
        bytes = bytes.slice(0, at);
        break;
      case 1:
        if (bytes.length > 0) bytes[at % bytes.length] = draw() & 0xff;
        break;
      case 2:
        if (bytes.length > 0) bytes[at % bytes.length] = BYTES.charCodeAt(draw() % BYTES.length);
        break;
      case 3: {
        const piece = bytes.slice(at, at + (draw() % 40));
        bytes = Uint8Array.of(...bytes.slice(0, at), ...piece, ...bytes.slice(at));
        break;
      }
      default:
        if (bytes.length > 0) bytes[at % bytes.length]! ^= 1 << (draw() % 8);
    }
  }
  return bytes;
}

/** Damaged JSON number `i`: in its values or in its bytes. */
export function damagedJson(good: string, i: number): Uint8Array<ArrayBuffer> {
  const draw = draws(i);
  if (draw() % 4 === 0) return damageBytes(new TextEncoder().encode(good), draw);
  return new TextEncoder().encode(damageValues(good, draw));
}

/** What a process has in memory (`Rss`) or had at most (`HWM`). */
const residentBytes = (what: 'RSS' | 'HWM'): number =>
  Number(new RegExp(`Vm${what}:\\s*(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))![1]) *
  1024;

/** Starts to measure; the function it returns tells by how much memory grew since, at its peak. */
function memoryPeak(): () => number {
  if (process.platform !== 'linux') {
    const before = process.resourceUsage().maxRSS;
    return () => (process.resourceUsage().maxRSS - before) * 1024;
  }
  writeFileSync('/proc/self/clear_refs', '5');
  const before = residentBytes('RSS');
  return () => residentBytes('HWM') - before;
}

/** Starts a clock; it tells the time of the processor where that is less: a busy machine is no reason. */
export function clock(): () => number {
  const started = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return Math.min(performance.now() - started, (user + system) / 1000);
  };
}

const ownKeys = (): number => Reflect.ownKeys(Object.prototype).length;
const KEYS = ownKeys();

/**
 * Reads one hostile file, which may neither take a second, nor 256 MB, nor touch `Object.prototype`.
 * Returns what came out, or null when it was refused as it should be: by a typed error with a message
 * a person can read.
 */
export async function readDamaged<T>(name: string, read: () => T | Promise<T>): Promise<T | null> {
  let fastest = Infinity;
  for (let tries = 0; tries < TRIES && fastest > SLOWEST_MS; tries++) {
    const peak = memoryPeak();
    const elapsed = clock();
    let result: T | null = null;
    try {
      result = await read();
    } catch (error) {
      if (!(error instanceof PlaygroundError)) {
        throw new Error(`${name}: not a typed error`, { cause: error });
      }
      if (error.message.length > 2000 || error.message === '') {
        throw new Error(`${name}: unreadable message`, { cause: error });
      }
    }
    fastest = Math.min(fastest, elapsed());
    expect(peak(), `${name}: bytes of memory`).toBeLessThan(MOST_BYTES);
    expect(ownKeys(), `${name}: keys of Object.prototype`).toBe(KEYS);
    if (fastest <= SLOWEST_MS) return result;
  }
  throw new Error(`${name}: it took ${fastest.toFixed(0)} ms at best`);
}
