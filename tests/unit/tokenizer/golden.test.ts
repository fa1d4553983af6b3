/** Ids, decodings and chat template against Hugging Face `tokenizers` (tools/golden/tokenizer_fixture.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encodeDialogue, encodePrompt } from '../../../src/tokenizer/chat-template';
import { fromTokenizerJson, toTokenizerJson } from '../../../src/tokenizer/tokenizer-json';
import { splitDocuments } from '../../../src/tokenizer/documents';
import { trainBpe } from '../../../src/tokenizer/train-bpe';

interface Fixture {
  encodings: { text: string; ids: number[] }[];
  decodings: { ids: number[]; text: string; skipped: string }[];
  dialogues: { prompt: string; completion: string; ids: number[]; prompt_ids: number[] }[];
}

const folder = new URL('../../golden/tokenizer/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
const json = read('tokenizer.json');
const expected = JSON.parse(read('expected.json')) as Fixture;
const tokenizer = fromTokenizerJson(json);

describe('against Hugging Face tokenizers', () => {
  it('gives the same ids', () => {
    expect(expected.encodings.length).toBeGreaterThan(300);
    for (const { text, ids } of expected.encodings) {
      expect(tokenizer.encode(text, { allowSpecial: true }), JSON.stringify(text)).toEqual(ids);
    }
  });

  it('decodes any ids to the same text', () => {
    expect(expected.decodings.length).toBeGreaterThan(50);
    for (const { ids, text, skipped } of expected.decodings) {
      expect(tokenizer.decode(ids), String(ids)).toBe(text);
      expect(tokenizer.decode(ids, { skipSpecial: true }), String(ids)).toBe(skipped);
    }
  });

  it('applies the same chat template as the Jinja string does', () => {
    expect(expected.dialogues).toHaveLength(3);
    for (const { prompt, completion, ids, prompt_ids } of expected.dialogues) {
      expect(encodePrompt(tokenizer, prompt)).toEqual(prompt_ids);
      const dialogue = encodeDialogue(tokenizer, prompt, completion);
      expect(dialogue.input_ids).toEqual(ids);
      expect(dialogue.input_ids.slice(0, dialogue.promptLength)).toEqual(prompt_ids);
    }
  });

  it('is trained again to the same file from the same corpus', () => {
    const trained = trainBpe(splitDocuments(read('corpus.txt')), { vocab_size: 420 });
    expect(toTokenizerJson(trained)).toEqual(JSON.parse(json));
  });
});
