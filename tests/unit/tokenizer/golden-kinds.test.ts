/** Our own tokenizer and foreign kinds against Hugging Face `tokenizers` on 10 000 texts. */
import { describe, expect, it } from 'vitest';
import { CHAT_TEMPLATE, chatTemplate, encodePrompt } from '../../../src/tokenizer/chat-template';
import { encodeDocument } from '../../../src/tokenizer/documents';
import { importTokenizer } from '../../../src/tokenizer/import-tokenizer';
import type { Tokenizer } from '../../../src/tokenizer/tokenizer';
import { fromTokenizerJson, toTokenizerJson } from '../../../src/tokenizer/tokenizer-json';
import { goldenFile, hashIds, kinds, makeText, readHashes, TEXTS } from './golden-texts';

const texts = Array.from({ length: TEXTS }, (_, number) => makeText(number));

const FOREIGN = ['smollm2', 'llama3', 'qwen2', 'gpt4o'] as const;

/** Our tokenizer, and the foreign ones with the tokens of the chat template appended. */
function load(kind: string): Tokenizer {
  if (kind === 'own') return fromTokenizerJson(goldenFile('tokenizer.json'));
  return importTokenizer(goldenFile(`${kind}.json`), kinds[kind]!.end!).tokenizer;
}

/** Merges as strings, no fields that only offsets need, no `role`: what decides about ids. */
function essence(json: string): unknown {
  const file = JSON.parse(json) as Record<string, Record<string, unknown>>;
  const merges = file['model']!['merges'] as (string | string[])[];
  file['model']!['merges'] = merges.map((merge) => [merge].flat().join(' '));
  const added = file['added_tokens'] as unknown as Record<string, unknown>[];
  for (const token of added) delete token['role'];
  delete file['decoder'];
  return file;
}

describe.each(['own', ...FOREIGN])('%s', (kind) => {
  it.each(['asText', 'parsed'] as const)('gives 10 000 texts the same ids (%s)', (mode) => {
    const tokenizer = load(kind);
    const hashes = readHashes(kinds[kind]![mode]);
    expect(hashes).toHaveLength(TEXTS);
    const wrong = texts.flatMap((text, number) => {
      const ids = tokenizer.encode(text, { allowSpecial: mode === 'parsed' });
      return hashIds(ids) === hashes[number] ? [] : [{ number, text, ids }];
    });
    expect(wrong.slice(0, 3), `${wrong.length} of ${TEXTS} differ`).toEqual([]);
  });
});

describe.each(FOREIGN)('%s, imported', (kind) => {
  it('gives texts full of Unicode, emoji and white space the same ids, readably', () => {
    const tokenizer = load(kind);
    const { samples = [] } = kinds[kind]!;
    expect(samples.length).toBeGreaterThan(40);
    for (const { text, ids } of samples) {
      expect(tokenizer.encode(text, { allowSpecial: true }), JSON.stringify(text)).toEqual(ids);
    }
  });

  it('is written as the library writes it after adding the same tokens', () => {
    const written = JSON.stringify(toTokenizerJson(load(kind)));
    expect(essence(written)).toEqual(essence(goldenFile(`${kind}.grown.json`)));
  });

  it('comes back from its own file with the same roles and ids', () => {
    const tokenizer = load(kind);
    const again = fromTokenizerJson(JSON.stringify(toTokenizerJson(tokenizer)));
    expect(again.rules).toEqual(tokenizer.rules);
    expect(again.endId).toBe(tokenizer.endId);
    for (const text of texts.slice(0, 300)) {
      expect(again.encode(text)).toEqual(tokenizer.encode(text));
    }
  });

  it('never makes a special token of typed text', () => {
    const tokenizer = load(kind);
    const unknown = tokenizer.vocab.indexOf(tokenizer.rules.unkToken ?? '');
    const special = (id: number): boolean => tokenizer.isSpecial(id) && id !== unknown;
    expect(texts.filter((text) => tokenizer.encode(text).some(special))).toEqual([]);
  });
});

describe('roles of an imported tokenizer', () => {
  it('are the end-of-text token it has, and tokens appended for the rest', () => {
    const { tokenizer, ownTokens, appended, facts } = importTokenizer(
      goldenFile('smollm2.json'),
      '<|im_end|>',
    );
    expect(tokenizer.vocab[tokenizer.endId]).toBe('<|im_end|>');
    expect(tokenizer.endId).toBe(2);
    expect(appended).toEqual(['<|pad|>', '<|user|>', '<|assistant|>']);
    expect(tokenizer.vocabSize).toBe(ownTokens + 3);
    expect(tokenizer.vocab.slice(ownTokens)).toEqual(appended);
    expect(facts.join(' ')).toContain('<|pad|>, <|user|>, <|assistant|>');
  });

  it('may be named by id, and are all appended when no end token is named', () => {
    expect(importTokenizer(goldenFile('smollm2.json'), 2).tokenizer.endId).toBe(2);
    const { appended } = importTokenizer(goldenFile('smollm2.json'), null);
    expect(appended).toEqual(['<|end|>', '<|pad|>', '<|user|>', '<|assistant|>']);
  });

  it('are our own where a tokenizer of this page comes back', () => {
    const { appended, facts } = importTokenizer(goldenFile('tokenizer.json'), '<|end|>');
    expect(appended).toEqual([]);
    expect(facts).toEqual(['A turn ends with the token <|end|>.']);
  });

  it('put what the model expects before every text, and say so', () => {
    const { tokenizer, facts } = importTokenizer(goldenFile('llama3.json'), '<|eot|>');
    const begin = tokenizer.vocab.indexOf('<|begin|>');
    expect(tokenizer.prefixIds).toEqual([begin]);
    expect(encodePrompt(tokenizer, 'goat').slice(0, 2)).toEqual([begin, tokenizer.userId]);
    expect(encodeDocument(tokenizer, 'goat')[0]).toBe(begin);
    expect(tokenizer.encode('goat')).not.toContain(begin);
    expect(facts.join(' ')).toContain('The model expects <|begin|> before every text');
    const template = chatTemplate(tokenizer);
    expect(template.startsWith("{{ '<|begin|>' }}")).toBe(true);
    expect(template).toContain("'<|eot|>'");
    expect(template).not.toContain('<|end|>');
    expect(chatTemplate(load('own'))).toBe(CHAT_TEMPLATE);
  });

  it('say how many bytes have no token', () => {
    const { tokenizer, facts } = importTokenizer(goldenFile('gpt4o.json'), '<|im_end|>');
    expect(tokenizer.bytesWithoutToken).toBeGreaterThan(10);
    expect(facts.join(' ')).toContain('read as <unk>');
  });

  it('are refused when the named end token is unknown or has another role', () => {
    const own = goldenFile('tokenizer.json');
    expect(() => importTokenizer(own, '</s>')).toThrow(/"<\/s>" is not in the vocabulary/);
    expect(() => importTokenizer(own, 99_999)).toThrow(/"99999" is not in the vocabulary/);
    expect(() => importTokenizer(own, '<|pad|>')).toThrow(/role pad too/);
  });
});
