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

type Json = Record<string, unknown>;
const BYTES: Json = { type: 'ByteLevel', add_prefix_space: false, use_regex: false };
const DIGITS: Json = { type: 'Digits', individual_digits: true };
const METASPACE: Json = { type: 'Metaspace' };
const TEXT: Json = { Sequence: { id: 'A', type_id: 0 } };
const special = (id: string): Json => ({ SpecialToken: { id, type_id: 0 } });
const steps = (...pretokenizers: Json[]): Json => ({ type: 'Sequence', pretokenizers });
const split = (regex: string, behavior = 'Isolated'): Json => ({
  type: 'Split',
  pattern: { Regex: regex },
  behavior,
  invert: false,
});
const added = (...tokens: Json[]): Json => tokens as unknown as Json;
const template = (single: Json[], id = 1): Json => ({
  type: 'TemplateProcessing',
  single: [...single, special('<|end|>')],
  pair: [],
  special_tokens: { '<|end|>': { id: '<|end|>', ids: [id], tokens: ['<|end|>'] } },
});

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

  it('skips the version line of old merges, and tells what stands around a text', () => {
    const file = fromTokenizerJson(
      broken((json) => {
        (json['model']!['merges'] as string[]).unshift('#version: 0.2');
        json['post_processor'] = template([special('<|end|>'), TEXT]);
      }),
    );
    expect(file.merges).toEqual(tokenizer.merges);
    expect(file.prefixIds).toEqual([tokenizer.endId]);
    expect(tokenizer.prefixIds).toEqual([]);
  });

  const cases: [string, unknown, RegExp][] = [
    ['text that is not JSON', '{', /not valid JSON/],
    ['null', null, /not a JSON object/],
    ['a list', [], /not a JSON object/],
    ['no model', {}, /model is missing/],
    ['another model', broken((f) => (f['model']!['type'] = 'Unigram')), /not BPE/],
    ['dropout', broken((f) => (f['model']!['dropout'] = 0.1)), /dropout/],
    ['byte_fallback', broken((f) => (f['model']!['byte_fallback'] = true)), /byte_fallback/],
    [
      'fuse_unk',
      broken((f) => Object.assign(f['model']!, { unk_token: '<|pad|>', fuse_unk: true })),
      /fuse_unk/,
    ],
    ['an unknown unk_token', broken((f) => (f['model']!['unk_token'] = '<unk>')), /unk_token/],
    [
      'another normalizer',
      broken((f) => Object.assign(f, { normalizer: { type: 'Lowercase' } })),
      /normalizer "Lowercase" is not supported/,
    ],
    [
      'another decoder',
      broken((f) => Object.assign(f, { decoder: { type: 'Metaspace' } })),
      /decoder is "Metaspace"/,
    ],
    [
      'another post-processor',
      broken((f) => Object.assign(f, { post_processor: { type: 'BertProcessing' } })),
      /post_processor "BertProcessing"/,
    ],
    [
      'a template without text',
      broken((f) => (f['post_processor'] = template([]))),
      /exactly once/,
    ],
    [
      'a template with another id',
      broken((f) => (f['post_processor'] = template([TEXT], 7))),
      /"<\|end\|>" names tokens with other ids/,
    ],
    [
      'a template with an unknown token',
      broken((f) => (f['post_processor'] = template([TEXT, special('<s>')]))),
      /neither a text nor a known token/,
    ],
    [
      'another pre-tokenizer',
      broken((f) => (f['pre_tokenizer'] = { type: 'Digits' })),
      /ByteLevel/,
    ],
    [
      'no pre-tokenizer',
      broken((f) => Object.assign(f, { pre_tokenizer: null })),
      /ByteLevel once/,
    ],
    [
      'an unknown step',
      broken((f) => (f['pre_tokenizer'] = steps(METASPACE))),
      /"Metaspace" is not/,
    ],
    [
      'ByteLevel first',
      broken((f) => (f['pre_tokenizer'] = steps(BYTES, DIGITS))),
      /its last step/,
    ],
    ['ByteLevel twice', broken((f) => (f['pre_tokenizer'] = steps(BYTES, BYTES))), /its last step/],
    [
      'a step that is no truth',
      broken((f) => (f['pre_tokenizer']!['use_regex'] = 1)),
      /use_regex is not true or false/,
    ],
    [
      'another behavior',
      broken((f) => (f['pre_tokenizer'] = steps(split('a', 'MergedWithNext'), BYTES))),
      /"MergedWithNext" is not supported/,
    ],
    [
      'a Split without a pattern',
      broken((f) => (f['pre_tokenizer'] = steps({ ...split('a'), pattern: {} }, BYTES))),
      /neither a Regex nor a String/,
    ],
    [
      'a pattern that JavaScript matches otherwise',
      broken((f) => (f['pre_tokenizer'] = steps(split('\\w+'), BYTES))),
      /cannot be used: the escape \\w is not supported/,
    ],
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
      'an added token with a used id',
      broken((f) => (f['added_tokens'] = added({ id: 1, content: '<s>' }))),
      /id 1 is used twice, by "<\|end\|>" and "<s>"/,
    ],
    [
      'an empty added token',
      broken((f) => (f['added_tokens'] = added({ id: 1, content: '' }))),
      /no/,
    ],
    [
      'an added token twice',
      broken(
        (f) =>
          (f['added_tokens'] = added({ id: 1, content: '<|end|>' }, { id: 1, content: '<|end|>' })),
      ),
      /"<\|end\|>" occurs twice/,
    ],
    [
      'a flag that is no truth',
      broken((f) => (f['added_tokens'] = added({ id: 1, content: '<|end|>', lstrip: 'yes' }))),
      /lstrip is not true or false/,
    ],
    [
      'an unknown role',
      broken((f) => (f['added_tokens'] = added({ id: 1, content: '<|end|>', role: 'king' }))),
      /unknown role/,
    ],
    [
      'two roles for one token',
      broken((f) => (f['added_tokens'] = added({ id: 1, content: '<|end|>', role: 'pad' }))),
      /two roles/,
    ],
    [
      'a merge that makes a special token',
      broken((f) => {
        const id = tokenizer.vocabSize - 1;
        f['added_tokens'] = added({ id, content: tokenizer.vocab[id]!, special: true });
      }),
      /makes a special token/,
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
