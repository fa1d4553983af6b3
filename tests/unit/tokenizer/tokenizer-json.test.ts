import { describe, expect, it } from 'vitest';
import { PlaygroundError } from '../../../src/core/errors';
import { fromTokenizerJson, toTokenizerJson } from '../../../src/tokenizer/tokenizer-json';
import { trainBpe } from '../../../src/tokenizer/train-bpe';

const tokenizer = trainBpe(['the goat ate the goat', 'the hat'], { vocab_size: 270 });

/** A good file with one change. */
function broken(change: (json: Record<string, Record<string, unknown>>) => void): unknown {
  const json = JSON.parse(JSON.stringify(toTokenizerJson(tokenizer))) as Record<
    string,
    Record<string, unknown>
  >;
  change(json);
  return json;
}

describe('tokenizer.json', () => {
  it('comes back the same', () => {
    const again = fromTokenizerJson(JSON.stringify(toTokenizerJson(tokenizer)));
    expect(again.vocab).toEqual(tokenizer.vocab);
    expect(again.merges).toEqual(tokenizer.merges);
    expect(again.encode('the goat <|end|>')).toEqual(tokenizer.encode('the goat <|end|>'));
  });

  it('reads merges written as pairs, and vocabularies in another order', () => {
    const json = broken((file) => {
      file['model']!['merges'] = (file['model']!['merges'] as string[]).map((m) => m.split(' '));
      const vocab = Object.entries(file['model']!['vocab'] as Record<string, number>);
      const last = vocab.length - 1;
      file['model']!['vocab'] = Object.fromEntries(vocab.map(([piece, id]) => [piece, last - id]));
      file['added_tokens'] = [] as unknown as Record<string, unknown>;
    });
    const flipped = fromTokenizerJson(json);
    expect(flipped.padId).toBe(tokenizer.vocabSize - 1);
    const ids = tokenizer.encode('the goat').map((id) => tokenizer.vocabSize - 1 - id);
    expect(flipped.encode('the goat')).toEqual(ids);
  });

  const cases: [string, unknown, RegExp][] = [
    ['text that is not JSON', '{', /not valid JSON/],
    ['null', null, /not a JSON object/],
    ['a list', [], /not a JSON object/],
    ['no model', {}, /model is missing/],
    ['another model', broken((f) => (f['model']!['type'] = 'Unigram')), /not BPE/],
    ['dropout', broken((f) => (f['model']!['dropout'] = 0.1)), /dropout/],
    ['ignore_merges', broken((f) => (f['model']!['ignore_merges'] = true)), /ignore_merges/],
    ['a normalizer', broken((f) => (f['normalizer'] = { type: 'NFC' })), /normalizer/],
    [
      'another pre-tokenizer',
      broken((f) => (f['pre_tokenizer'] = { type: 'Digits' })),
      /ByteLevel/,
    ],
    ['prefix spaces', broken((f) => (f['pre_tokenizer']!['add_prefix_space'] = true)), /prefix/],
    ['no regex', broken((f) => (f['pre_tokenizer']!['use_regex'] = false)), /use_regex/],
    ['no vocabulary', broken((f) => (f['model']!['vocab'] = 3)), /vocab is missing/],
    ['a bad id', broken((f) => Object.assign(f['model']!['vocab'] as object, { a: 1.5 })), /"a"/],
    ['a hole', broken((f) => Object.assign(f['model']!['vocab'] as object, { a: 9999 })), /hole/],
    [
      'an id twice',
      broken((f) => Object.assign(f['model']!['vocab'] as object, { a: 5 })),
      /twice/,
    ],
    [
      'a piece outside the alphabet',
      broken((f) => Object.assign(f['model']!['vocab'] as object, { '☃': tokenizer.vocabSize })),
      /byte-level/,
    ],
    [
      'no bytes',
      broken((f) => {
        const vocab = f['model']!['vocab'] as Record<string, number>;
        vocab['qq'] = vocab['q']!;
        delete vocab['q'];
      }),
      /"q" is missing/,
    ],
    [
      'no specials',
      broken((f) => {
        const vocab = f['model']!['vocab'] as Record<string, number>;
        vocab['qq'] = vocab['<|user|>']!;
        delete vocab['<|user|>'];
        f['added_tokens'] = [] as unknown as Record<string, unknown>;
      }),
      /<\|user\|>/,
    ],
    [
      'a foreign special',
      broken(
        (f) =>
          (f['added_tokens'] = [{ id: 1, content: '<s>' }] as unknown as Record<string, unknown>),
      ),
      /<s>/,
    ],
    [
      'a contradicting special',
      broken(
        (f) =>
          (f['added_tokens'] = [{ id: 7, content: '<|pad|>' }] as unknown as Record<
            string,
            unknown
          >),
      ),
      /id 7/,
    ],
    ['no merges', broken((f) => delete f['model']!['merges']), /merges is missing/],
    ['an unknown merge', broken((f) => (f['model']!['merges'] = ['t ☃'])), /merge 0/],
    ['a merge of three', broken((f) => (f['model']!['merges'] = ['t h e'])), /merge 0/],
    [
      'a merge twice',
      broken((f) =>
        (f['model']!['merges'] as string[]).push((f['model']!['merges'] as string[])[0]!),
      ),
      /twice/,
    ],
    [
      'a merge without its token',
      broken((f) => (f['model']!['merges'] as string[]).push('q q')),
      /"qq" is missing/,
    ],
  ];

  it.each(cases)('refuses %s with a typed error', (_name, json, message) => {
    try {
      fromTokenizerJson(json);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(PlaygroundError);
      expect((error as PlaygroundError).code).toBe('format');
      expect((error as PlaygroundError).field).toBe('tokenizer.json');
      expect((error as PlaygroundError).message).toMatch(message);
    }
  });
});
