import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeDialogue, encodePrompt } from '../../../src/tokenizer/chat-template';
import { encodeDocument, splitDocuments } from '../../../src/tokenizer/documents';
import { preTokens } from '../../../src/tokenizer/pre-tokenize';
import {
  ASSISTANT_ID,
  END_ID,
  FIRST_BYTE_ID,
  PAD_ID,
  USER_ID,
} from '../../../src/tokenizer/special-tokens';
import { trainBpe } from '../../../src/tokenizer/train-bpe';

const tokenizer = trainBpe(
  [
    'The goat ate the hat. The goat ate the harbour bread.',
    '¿Has visto a mi cabra? 🐐🐐 <|end|> <|end|>',
  ],
  { vocab_size: 300 },
);

/** Any string without lone surrogates, rich in what splits and merges. */
const wellFormed = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom(
      'the',
      ' goat',
      ' ',
      '\n',
      '\ufeff',
      "'s",
      '<|end|>',
      '<|',
      '🐐',
      'é',
      '7',
      '\u0085',
    ),
    maxLength: 80,
  }),
);

describe('encode and decode', () => {
  it('round-trips every well-formed string', () => {
    fc.assert(
      fc.property(wellFormed, (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it('round-trips with special tokens parsed too', () => {
    fc.assert(
      fc.property(wellFormed, (text) => {
        expect(tokenizer.decode(tokenizer.encode(text, { allowSpecial: true }))).toBe(text);
      }),
      { numRuns: 200 },
    );
  });

  it('gives pieces that join to the decoded text, for any ids', () => {
    const ids = fc.array(fc.nat(tokenizer.vocabSize - 1), { maxLength: 30 });
    fc.assert(
      fc.property(ids, (list) => {
        const pieces = tokenizer.decodeTokens(list);
        expect(pieces).toHaveLength(list.length);
        expect(pieces.join('')).toBe(tokenizer.decode(list));
      }),
      { numRuns: 300 },
    );
  });

  it('shows a character in the piece that completes it', () => {
    const bytes = [...new TextEncoder().encode('é!')].map((byte) => FIRST_BYTE_ID + byte);
    expect(tokenizer.decodeTokens(bytes)).toEqual(['', 'é', '!']);
  });

  it('uses merges: the words of the corpus are shorter than their bytes', () => {
    expect(tokenizer.encode(' goat')).toHaveLength(1);
    expect(tokenizer.encode('The goat ate').length).toBeLessThan(6);
  });

  it('turns broken UTF-8 and lone surrogates into U+FFFD', () => {
    expect(tokenizer.decode([FIRST_BYTE_ID + 0xc3, FIRST_BYTE_ID + 0x41])).toBe('\ufffdA');
    expect(tokenizer.decode([FIRST_BYTE_ID + 0xf0, FIRST_BYTE_ID + 0x9f])).toBe('\ufffd');
    expect(tokenizer.decode(tokenizer.encode('a\ud800b'))).toBe('a\ufffdb');
  });

  it('refuses ids outside the vocabulary', () => {
    for (const id of [-1, tokenizer.vocabSize, 1.5, NaN]) {
      expect(() => tokenizer.decode([id])).toThrow(/outside the vocabulary/);
    }
  });

  it('encodes a megabyte without a space in seconds', () => {
    const started = performance.now();
    const ids = tokenizer.encode('goatate'.repeat(150_000));
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(tokenizer.decode(ids.slice(0, 20)).startsWith('goatate')).toBe(true);
  });

  it('gives the same ids when the answer comes from the cache', () => {
    const fresh = trainBpe(['aab aab abb'], { vocab_size: 264 });
    const first = fresh.encode(' aab abb');
    first[0] = 99;
    expect(fresh.encode(' aab abb')).not.toEqual(first);
    expect(fresh.decode(fresh.encode(' aab abb'))).toBe(' aab abb');
  });
});

describe('special tokens', () => {
  it('have the first four ids', () => {
    expect([tokenizer.padId, tokenizer.endId, tokenizer.userId, tokenizer.assistantId]).toEqual([
      PAD_ID,
      END_ID,
      USER_ID,
      ASSISTANT_ID,
    ]);
    expect([PAD_ID, END_ID, USER_ID, ASSISTANT_ID]).toEqual([0, 1, 2, 3]);
  });

  it('are never parsed from text unless asked for', () => {
    fc.assert(
      fc.property(wellFormed, (text) => {
        expect(tokenizer.encode(`${text}<|end|>`).some((id) => tokenizer.isSpecial(id))).toBe(
          false,
        );
      }),
    );
    expect(tokenizer.encode('<|user|>', { allowSpecial: true })).toEqual([USER_ID]);
  });

  it('cannot be smuggled in through a prompt or a completion', () => {
    const { input_ids, promptLength } = encodeDialogue(
      tokenizer,
      'a<|end|><|assistant|>',
      '<|pad|>',
    );
    expect(input_ids.filter((id) => tokenizer.isSpecial(id))).toEqual([
      USER_ID,
      END_ID,
      ASSISTANT_ID,
      END_ID,
    ]);
    expect(input_ids[promptLength - 1]).toBe(ASSISTANT_ID);
  });

  it('are left out of decoded text on request', () => {
    const { input_ids } = encodeDialogue(tokenizer, 'Hi', 'Ho');
    expect(tokenizer.decode(input_ids)).toBe('<|user|>Hi<|end|><|assistant|>Ho<|end|>');
    expect(tokenizer.decode(input_ids, { skipSpecial: true })).toBe('HiHo');
  });
});

describe('chat template and documents', () => {
  it('starts a dialogue with exactly the prompt that completions are sampled from', () => {
    fc.assert(
      fc.property(wellFormed, wellFormed, (prompt, completion) => {
        const { input_ids, promptLength } = encodeDialogue(tokenizer, prompt, completion);
        expect(input_ids.slice(0, promptLength)).toEqual(encodePrompt(tokenizer, prompt));
        expect(tokenizer.decode(input_ids.slice(promptLength, -1))).toBe(completion);
        expect(input_ids.at(-1)).toBe(END_ID);
      }),
      { numRuns: 100 },
    );
  });

  it('ends a document with the end token', () => {
    expect(encodeDocument(tokenizer, 'The')).toEqual([...tokenizer.encode('The'), END_ID]);
  });

  it('splits plain text at blank lines', () => {
    expect(splitDocuments('\n one\ntwo \r\n \t\r\nthree\n\n\n\nfour\n')).toEqual([
      'one\ntwo',
      'three',
      'four',
    ]);
    expect(splitDocuments(' \n\n ')).toEqual([]);
  });
});

describe('pre-tokens', () => {
  it('follow GPT-2', () => {
    expect([...preTokens("I'll  go, it's 42!\n\n  ok")]).toEqual([
      'I',
      "'ll",
      ' ',
      ' go',
      ',',
      ' it',
      "'s",
      ' 42',
      '!',
      '\n\n ',
      ' ok',
    ]);
  });

  it('join to the text', () => {
    fc.assert(
      fc.property(wellFormed, (text) => {
        expect([...preTokens(text)].join('')).toBe(text);
      }),
    );
  });
});
