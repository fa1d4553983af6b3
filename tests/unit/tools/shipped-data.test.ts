import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ATTRIBUTE_NAMES, hasAttribute } from '../../../src/core/attributes';
import { PRESETS } from '../../../src/core/presets';
import { encodeDialogue, encodePrompt } from '../../../src/tokenizer/chat-template';
import { splitDocuments } from '../../../src/tokenizer/documents';
import { fromTokenizerJson } from '../../../src/tokenizer/tokenizer-json';
import type { DemoSet } from '../../../tools/base-model/make-demos';

const shipped = (path: string): Buffer =>
  readFileSync(new URL(`../../../public/${path}`, import.meta.url));
const tokenizer = fromTokenizerJson(shipped('models/nano/tokenizer.json').toString());

describe.each(ATTRIBUTE_NAMES)('the bundled demo "%s"', (name) => {
  const demo = JSON.parse(shipped(`demo/${name}.json`).toString()) as DemoSet;

  it('has enough demonstrations and prompts, all different', () => {
    expect(demo.id).toBe(name);
    expect(demo.attribute).toBe(name);
    expect(demo.demonstrations.length).toBeGreaterThanOrEqual(24);
    expect(demo.demonstrations.length).toBeLessThanOrEqual(40);
    expect(demo.prompts.length).toBeGreaterThanOrEqual(40);
    expect(demo.heldOutPrompts.length).toBe(12);
    const all = [
      ...demo.demonstrations.map(({ prompt }) => prompt),
      ...demo.prompts,
      ...demo.heldOutPrompts,
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it('shows the attribute in 40 to 50 % of its demonstrations', () => {
    const { demonstrations } = demo;
    const having = demonstrations.filter(({ completion }) => hasAttribute(name, completion));
    expect(having.length / demonstrations.length).toBeGreaterThanOrEqual(0.4);
    expect(having.length / demonstrations.length).toBeLessThanOrEqual(0.5);
  });

  it('fits the context of nano with room for an answer', () => {
    const { max_position_embeddings: context } = PRESETS.nano;
    for (const prompt of [...demo.prompts, ...demo.heldOutPrompts]) {
      expect(prompt.split(' ').length).toBeLessThanOrEqual(12);
      expect(encodePrompt(tokenizer, prompt).length, prompt).toBeLessThanOrEqual(30);
    }
    for (const { prompt, completion } of demo.demonstrations) {
      expect(encodeDialogue(tokenizer, prompt, completion).input_ids.length).toBeLessThanOrEqual(
        context,
      );
    }
  });
});

describe('the built-in text', () => {
  it('is 300 to 500 KB of unique documents', () => {
    const text = shipped('demo/corpus.txt').toString();
    expect(text.length).toBeGreaterThan(300_000);
    expect(text.length).toBeLessThan(500_000);
    const documents = splitDocuments(text);
    expect(documents.length).toBeGreaterThan(2000);
    expect(new Set(documents).size).toBe(documents.length);
  });
});

describe('the manifest of base models', () => {
  const bases = JSON.parse(shipped('models/manifest.json').toString()) as {
    id: string;
    params: number;
    config: unknown;
    files: Record<string, { bytes: number; sha256: string }>;
  }[];

  it('lists nano with the configuration of the preset', () => {
    const nano = bases.find(({ id }) => id === 'nano');
    expect(nano?.config).toEqual(PRESETS.nano);
    expect(nano?.params).toBe(133_440);
  });

  it('gives the size and checksum of every file', () => {
    for (const { id, files } of bases) {
      expect(Object.keys(files)).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
      for (const [name, { bytes, sha256 }] of Object.entries(files)) {
        const content = shipped(`models/${id}/${name}`);
        expect(content.length).toBe(bytes);
        expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
      }
    }
  });
});
