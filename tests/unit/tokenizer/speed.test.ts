/** The speeds that are promised, in CPU time: other programs on the machine do not count. */
import { describe, expect, it } from 'vitest';
import { importTokenizer } from '../../../src/tokenizer/import-tokenizer';
import { fromTokenizerJson, toTokenizerJson } from '../../../src/tokenizer/tokenizer-json';
import { trainBpe } from '../../../src/tokenizer/train-bpe';
import { draws, goldenFile } from './golden-texts';

const MEGABYTE = 1_000_000;
const TEXT_BYTES = 5 * MEGABYTE;
const TIMEOUT_MS = 240_000;

/** Words of 40 000 different ones, the k-th as often as 1/k (Zipf), 9 bytes each with its space. */
function makeText(bytes: number): string {
  const draw = draws(5);
  const words: string[] = [];
  for (let length = 0; length < bytes; length += words.at(-1)!.length + 1) {
    const rank = Math.floor(40_000 ** (draw() / 2 ** 32));
    words.push(
      (Math.imul(rank, 0x9e3779b1) >>> 0).toString(28).padStart(7, 'e') + (rank % 9 ? '' : ','),
    );
  }
  return words.join(' ');
}

/** Seconds of CPU time, garbage collection included. */
function cpuSeconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

describe('speed', () => {
  const text = makeText(TEXT_BYTES);
  const documents = text.match(/[^]{1,2000}/g)!;

  it(
    'trains 2 048 merges on 5 MB in less than 20 s and encodes more than 1 MB/s',
    () => {
      let trained = trainBpe([], { vocab_size: 260 });
      const training = cpuSeconds(() => {
        trained = trainBpe(documents, { vocab_size: 260 + 2048 });
      });
      expect(trained.merges).toHaveLength(2048);
      expect(training).toBeLessThan(20);
      // A fresh one: nothing is cached yet.
      const fresh = fromTokenizerJson(toTokenizerJson(trained));
      const encoding = cpuSeconds(() => {
        for (const document of documents) fresh.encode(document);
      });
      expect(TEXT_BYTES / MEGABYTE / encoding).toBeGreaterThan(1);
      console.info(`training ${training.toFixed(1)} s, encoding ${(5 / encoding).toFixed(1)} MB/s`);
    },
    TIMEOUT_MS,
  );

  it.each(['smollm2', 'llama3', 'qwen2', 'gpt4o'])(
    'encodes more than 1 MB/s as %s does',
    (kind) => {
      const once = (): number => {
        // A fresh one: nothing is cached yet.
        const { tokenizer } = importTokenizer(goldenFile(`${kind}.json`), null);
        const encoding = cpuSeconds(() => {
          for (const document of documents.slice(0, 1000)) tokenizer.encode(document);
        });
        return 2 / encoding;
      };
      // The best of three: the first has the compiler's time in it, and one core may be two threads.
      const speed = Math.max(once(), once(), once());
      console.info(`${kind}: ${speed.toFixed(1)} MB/s`);
      expect(speed).toBeGreaterThan(1);
    },
    TIMEOUT_MS,
  );
});
