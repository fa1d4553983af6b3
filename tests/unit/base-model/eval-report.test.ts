import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadBases } from '../../../src/state/demo-task';
import type { Tokenizer } from '../../../src/tokenizer/tokenizer';
import { fromTokenizerJson } from '../../../src/tokenizer/tokenizer-json';
import {
  documentRows,
  drawStarts,
  readCorpusSample,
  scoredBytes,
} from '../../../tools/base-model/eval/corpus-sample';
import {
  atLeast,
  mergeSections,
  modelSection,
  within,
  withInterval,
} from '../../../tools/base-model/eval/report';
import { EDITIONS, splitOf } from '../../../tools/base-model/corpus';
import type { BaseModel } from '../../../tools/base-model/write-manifest';

const shipped = (path: string): string =>
  readFileSync(new URL(`../../../public/models/${path}`, import.meta.url), 'utf8');
const nano = (): Tokenizer => fromTokenizerJson(shipped('nano/tokenizer.json'));

describe('the report on base models', () => {
  it('holds goals against the share itself, ends included', () => {
    expect(atLeast({ count: 9, of: 10 }, 0.9)).toBe(true);
    expect(atLeast({ count: 8, of: 10 }, 0.9)).toBe(false);
    expect(atLeast({ count: 0, of: 0 }, 0.9)).toBe(false);
    expect(within({ count: 2, of: 10 }, 0.2, 0.6)).toBe(true);
    expect(within({ count: 6, of: 10 }, 0.2, 0.6)).toBe(true);
    expect(within({ count: 7, of: 10 }, 0.2, 0.6)).toBe(false);
    expect(within({ count: 1, of: 10 }, 0.2, 0.6)).toBe(false);
  });

  it('shows a share with its interval', () => {
    expect(withInterval({ count: 0, of: 20 })).toBe('0.0 % (0.0–16.1)');
  });

  it('writes what was reached, what was not, and what has no goal', () => {
    const share = { count: 8, of: 10 };
    const row = { measure: 'm', goal: '≥ 1 %', measured: '5 %', reached: true, corpus: null };
    const checks = {
      ended: share,
      notEmpty: share,
      noEcho: share,
      spelled: share,
      attribute: share,
    };
    const section = modelSection({
      id: 'mini',
      label: 'mini (1 M)',
      facts: ['A fact.'],
      rows: [row, { ...row, reached: false }, { ...row, goal: null, reached: null, corpus: 'a|b' }],
      answers: [{ demo: 'Cats', inFormat: share, goal: 0.9, checks }],
      samples: [
        { text: 'One\ntwo.', ended: true },
        { text: 'Three', ended: false },
      ],
    });
    expect(section).toContain('## mini\n\nmini (1 M). A fact.\n');
    expect(section).toContain('| m | ≥ 1 % | 5 % | yes | – |');
    expect(section).toContain('| m | ≥ 1 % | 5 % | **no** | – |');
    expect(section).toContain('| m | – | 5 % | – | a\\|b |');
    expect(section).toContain('| Cats | ≥ 90 % | 80.0 % (49.0–94.3) | **no** |');
    expect(section).toContain(' 1  One / two.\n 2  Three …\n');
  });

  it('replaces sections of measured models and keeps the others, smallest first', () => {
    const order = ['nano', 'tiny', 'small'];
    const first = mergeSections('# Intro', '', new Map([['tiny', '## tiny\n\nold']]), order);
    const both = mergeSections('# Intro', first, new Map([['nano', '## nano\n\n### Part']]), order);
    expect(both).toBe('# Intro\n\n## nano\n\n### Part\n\n## tiny\n\nold\n');
    const again = mergeSections('# New', both, new Map([['tiny', '## tiny\n\nnew']]), order);
    expect(again).toBe('# New\n\n## nano\n\n### Part\n\n## tiny\n\nnew\n');
  });
});

describe('what is taken from the corpus', () => {
  const sample = readCorpusSample(
    { edition: 'nano', documents: 3000, plain: 1 },
    { heldOut: 20, comparison: 5 },
  );

  it('holds out only documents that are not trained on', () => {
    const splits = new Map<string, string>();
    for (let index = 0; index < 6000; index++) {
      const document = EDITIONS.nano(1, index);
      splits.set(document.text, splitOf(document));
    }
    for (const split of ['seen', 'unseen'] as const) {
      expect(sample.heldOut[split].length).toBe(20);
      expect(sample.heldOut[split].map((text) => splits.get(text))).toEqual(Array(20).fill(split));
    }
    expect(sample.comparison.filter((text) => splits.has(text)).length).toBeLessThan(5);
  });

  it('scores the bytes of all tokens but the first, the end token has none', () => {
    const tokenizer = nano();
    const [row] = documentRows(tokenizer, ['Mira lost the bag. ñ'], 128);
    const first = tokenizer.decode(row!.slice(0, 1));
    expect(row!.at(-1)).toBe(tokenizer.endId);
    expect(scoredBytes(tokenizer, [row!, row!])).toBe(
      2 * ('Mira lost the bag. ñ'.length + 1 - first.length),
    );
    expect(documentRows(tokenizer, ['Mira lost the bag.'], 3)[0]).toEqual(row!.slice(0, 3));
  });

  it('starts samples as documents start, the same ones for the same seed', () => {
    const rows = documentRows(nano(), sample.heldOut.seen, 128);
    const starts = drawStarts(rows, 200, 1);
    const firsts = new Set(rows.map(([first]) => first));
    expect(starts.every((start) => start.length === 1 && firsts.has(start[0]))).toBe(true);
    expect(new Set(starts.map(([first]) => first)).size).toBeGreaterThan(5);
    expect(drawStarts(rows, 200, 1)).toEqual(starts);
    expect(drawStarts(rows, 200, 2)).not.toEqual(starts);
  });
});

describe('the manifest of base models', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('says which corpus each base was trained on', () => {
    for (const { id, edition, documents } of JSON.parse(shipped('manifest.json')) as BaseModel[]) {
      expect([id, edition]).toEqual([id, id === 'nano' ? 'nano' : 'mixed']);
      expect(documents).toBeGreaterThanOrEqual(150_000);
    }
  });

  it('is read by the page', async () => {
    const text = shipped('manifest.json');
    vi.stubGlobal('fetch', () => Promise.resolve(new Response(text)));
    const bases = await loadBases('http://localhost/');
    expect(bases[0]).toEqual({ id: 'nano', label: 'nano (0.13 M parameters)', params: 133_440 });
  });
});
