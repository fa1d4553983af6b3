import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDemonstrations } from '../../../src/formats/demonstrations';
import { MAX_FIELD_CHARS } from '../../../src/formats/demonstration-rows';
import { formatDemonstrations } from '../../../src/formats/demonstration-text';

const GOOD = { prompt: 'Hi', completion: 'Ho' };
const row = (line: number, prompt = 'Hi', completion = 'Ho'): unknown => ({
  prompt,
  completion,
  line,
});

describe('text blocks', () => {
  it('take values over several lines, blank ones included, until the next label', () => {
    const text = [
      'Prompt: Write',
      'two lines.',
      '',
      'Response: One.',
      '',
      'Still the answer.',
      '',
      '',
      'prompt:Second',
      'COMPLETION:   two  ',
      'Prompt:',
      'on its own line',
      'Answer:',
      'too',
    ].join('\r\n');
    expect(parseDemonstrations(text)).toEqual({
      format: 'text',
      rows: [
        row(1, 'Write\ntwo lines.', 'One.\n\nStill the answer.'),
        row(9, 'Second', 'two'),
        row(11, 'on its own line', 'too'),
      ],
      rejected: [],
      warnings: [],
    });
  });

  it('name each bad block by line and keep the good ones', () => {
    const text = [
      'some heading', // 1
      'and more of it',
      'Prompt: no answer', // 3
      'Prompt: Hi', // 4
      'Response: Ho',
      'Response: orphan', // 6
      'goes on',
      'Prompt: empty', // 8
      'Response:  ',
      'Prompt: x\ufffdy', // 10
      'Response: z',
      'Prompt: last',
    ].join('\n');
    const { rows, rejected } = parseDemonstrations(text);
    expect(rows).toEqual([row(4)]);
    expect(rejected.map(({ line }) => line)).toEqual([1, 3, 6, 8, 10, 12]);
    expect(rejected.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('before the first Prompt'),
      expect.stringContaining('no Response'),
      expect.stringContaining('without a Prompt'),
      expect.stringContaining('completion is empty'),
      expect.stringContaining('not text'),
      expect.stringContaining('no Response'),
    ]);
  });

  it('let another label stand inside an answer, and labels in text behind a backslash', () => {
    const { rows, rejected } = parseDemonstrations(
      'Prompt: 6·7?\nResponse: Well.\nAnswer: 42\n\\Prompt: x\n\\\\Response: y',
    );
    expect(rejected).toEqual([]);
    expect(rows).toEqual([row(1, '6·7?', 'Well.\nAnswer: 42\nPrompt: x\n\\Response: y')]);
  });

  it('come back from formatDemonstrations whatever is in them', () => {
    const piece = fc.constantFrom(
      'Prompt:',
      'response: a',
      '\\',
      'Answer:',
      '\n',
      '\n\n',
      'text',
      ' ',
      '{"a":1}',
      '"',
      ',',
      '🐐',
    );
    const value = fc
      .array(piece, { minLength: 1, maxLength: 12 })
      .map((parts) => parts.join('').trim())
      .filter((text) => text !== '');
    fc.assert(
      fc.property(
        fc.array(fc.record({ prompt: value, completion: value }), { minLength: 1 }),
        (given) => {
          const { format, rows, rejected } = parseDemonstrations(formatDemonstrations(given));
          expect(format).toBe('text');
          expect(rejected).toEqual([]);
          expect(rows.map(({ prompt, completion }) => ({ prompt, completion }))).toEqual(given);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('record shapes', () => {
  const cases: [string, unknown, string, string][] = [
    ['prompt / completion', GOOD, 'Hi', 'Ho'],
    ['any case', { Prompt: 'Hi', COMPLETION: 'Ho' }, 'Hi', 'Ho'],
    ['Alpaca', { instruction: 'Add', input: '2 3', output: '5' }, 'Add\n\n2 3', '5'],
    ['Alpaca without input', { instruction: 'Add', input: '', output: '5' }, 'Add', '5'],
    [
      'Dolly',
      { instruction: 'Who?', context: 'Mara bakes.', response: 'Mara', category: 'qa' },
      'Who?\n\nMara bakes.',
      'Mara',
    ],
    ['question / answer', { question: 'Hi', answer: 'Ho' }, 'Hi', 'Ho'],
    [
      'messages',
      {
        messages: [
          { role: 'system', content: 'Be kind.' },
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: 'Ho' },
        ],
      },
      'Be kind.\n\nHi',
      'Ho',
    ],
    [
      'messages with parts',
      {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'H' },
              { type: 'text', text: 'i' },
            ],
          },
          { role: 'assistant', content: 'Ho' },
        ],
      },
      'Hi',
      'Ho',
    ],
    [
      'ShareGPT',
      {
        conversations: [
          { from: 'human', value: 'Hi' },
          { from: 'gpt', value: 'Ho' },
        ],
      },
      'Hi',
      'Ho',
    ],
    [
      'TRL conversational',
      {
        prompt: [{ role: 'user', content: 'Hi' }],
        completion: [{ role: 'assistant', content: 'Ho' }],
      },
      'Hi',
      'Ho',
    ],
  ];
  it.each(cases)('%s', (_name, record, prompt, completion) => {
    const expected = { rows: [row(1, prompt, completion)], rejected: [], warnings: [] };
    expect(parseDemonstrations(JSON.stringify(record))).toEqual({ format: 'jsonl', ...expected });
    expect(parseDemonstrations(JSON.stringify([record]))).toEqual({ format: 'json', ...expected });
  });

  const bad: [string, unknown, RegExp][] = [
    ['nothing known', { foo: 1 }, /no known fields/],
    ['preference pairs', { prompt: 'a', chosen: 'b', rejected: 'c' }, /no completion/],
    ['no prompt', { completion: 'b' }, /no prompt/],
    ['a number', { prompt: 'a', completion: 3 }, /completion is not text/],
    ['a bad context', { instruction: 'a', input: {}, output: 'b' }, /input is not text/],
    ['an empty prompt', { prompt: ' \n', completion: 'b' }, /prompt is empty/],
    ['no messages', { messages: 'x' }, /not a list/],
    [
      'a foreign role',
      { messages: [{ role: 'tool', content: 'x' }] },
      /message 1: the role "tool"/,
    ],
    ['a null message', { messages: [null] }, /message 1: it is not an object/],
    [
      'content that is no text',
      { messages: [{ role: 'user', content: 5 }] },
      /content is not text/,
    ],
    ['an answer first', { messages: [{ role: 'assistant', content: 'x' }] }, /speaks before/],
    ['no answer', { messages: [{ role: 'user', content: 'x' }] }, /no answer/],
    ['too long', { prompt: 'a', completion: 'b'.repeat(MAX_FIELD_CHARS + 1) }, /8001 characters/],
    ['a zero byte', { prompt: 'a\0', completion: 'b' }, /not text/],
    ['a lone surrogate', { prompt: 'a\ud800', completion: 'b' }, /not text/],
  ];
  it.each(bad)('refuse %s and keep the neighbours', (_name, record, reason) => {
    const text = [GOOD, record, GOOD].map((value) => JSON.stringify(value)).join('\n');
    const { rows, rejected } = parseDemonstrations(text);
    expect(rows).toEqual([row(1), row(3)]);
    expect(rejected).toEqual([{ line: 2, reason: expect.stringMatching(reason) as string }]);
  });

  it('use the first exchange of a longer conversation and say so', () => {
    const turn = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Ho' },
    ];
    const { rows, warnings } = parseDemonstrations(
      JSON.stringify({ messages: [...turn, ...turn] }),
    );
    expect(rows).toEqual([row(1)]);
    expect(warnings).toEqual([
      { line: 1, reason: expect.stringContaining('2 later messages') as string },
    ]);
  });

  it('never reach a prototype', () => {
    const text =
      '{"__proto__":{"prompt":"x","completion":"y"},"constructor":"z"}\n{"__proto__":{"polluted":1},"prompt":"Hi","completion":"Ho"}';
    const { rows, rejected } = parseDemonstrations(text);
    expect(rows).toEqual([row(2)]);
    expect(rejected).toHaveLength(1);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect(parseDemonstrations('__proto__,prompt,completion\nx,Hi,Ho').rows).toEqual([row(2)]);
  });
});

describe('JSON', () => {
  const good = JSON.stringify(GOOD);

  it('lines: blank ones are skipped, broken ones named', () => {
    const { format, rows, rejected } = parseDemonstrations(
      `\ufeff\n${good}\n\n{"prompt": "Hi", \nnonsense\n[1]\n${good}\n`,
    );
    expect(format).toBe('jsonl');
    expect(rows).toEqual([row(2), row(7)]);
    expect(rejected.map(({ line }) => line)).toEqual([4, 5, 6]);
  });

  it('lines: a broken first line does not hide the rest', () => {
    const { rows, rejected } = parseDemonstrations(`{"prompt": "Hi"\n${good}`);
    expect(rows).toEqual([row(2)]);
    expect(rejected).toHaveLength(1);
  });

  it('pretty-printed arrays give the line of each object', () => {
    const text = JSON.stringify([GOOD, { prompt: 'a{"', completion: '}]\\' }, GOOD], null, 2);
    expect(parseDemonstrations(text).rows).toEqual([row(2), row(6, 'a{"', '}]\\'), row(10)]);
    expect(parseDemonstrations(text).format).toBe('json');
  });

  it('a broken object with objects inside it is named once', () => {
    const record = {
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Ho' },
      ],
    };
    const text = JSON.stringify([record, record, GOOD], null, 2).replace('"Hi"', '"Hi');
    expect(parseDemonstrations(text)).toMatchObject({
      rows: [row(14), row(26)],
      rejected: [{ line: 2 }],
    });
  });

  it('a hundred unclosed objects in a long file cost only themselves', () => {
    const text = `[\n${`{"prompt":"Hi",\n${`${good},\n`.repeat(40)}`.repeat(100)}]`;
    const { rows, rejected } = parseDemonstrations(text.replaceAll('Ho', 'Ho '.repeat(200)));
    expect(rows).toHaveLength(4000);
    expect(rejected).toHaveLength(100);
  });

  it('objects over several lines, one after another, without an array', () => {
    const pretty = JSON.stringify(GOOD, null, 1);
    expect(parseDemonstrations(`${pretty}\n${pretty}`)).toMatchObject({
      format: 'json',
      rows: [row(1), row(5)],
      rejected: [],
    });
  });

  it.each<[string, string, unknown[], number[]]>([
    ['a trailing comma', `[\n${good},\n${good},\n]`, [row(2), row(3)], []],
    ['cut off in the last object', `[\n${good},\n{"prompt":"H`, [row(2)], [3]],
    ['an unclosed string', `[\n{"prompt":"Hi,"completion":"Ho"},\n${good}\n]`, [row(3)], [2]],
    [
      'an unclosed string, all on one line',
      `[{"prompt":"Hi,"completion":"Ho"},${good},${good}]`,
      [row(1), row(1)],
      [1],
    ],
    ['an unclosed object', `[\n{"prompt":"Hi",\n${good},\n${good}]`, [row(3), row(4)], [2]],
    [
      'a missing value, indented',
      `[\n  {\n    "prompt": ,\n    "completion": "Ho"\n  },\n  ${good}\n]`,
      [row(6)],
      [2],
    ],
    ['entries that are not objects', `[${good},\n5, "x",\n${good}]`, [row(1), row(3)], [2]],
    [
      'valid JSON with entries that are not objects',
      `[${good},\n5,\n${good}, null]`,
      [row(1), row(3)],
      [2, 3],
    ],
  ])('arrays: %s costs only itself', (_name, text, rows, lines) => {
    const parsed = parseDemonstrations(text);
    expect(parsed.rows).toEqual(rows);
    expect(parsed.rejected.map(({ line }) => line)).toEqual(lines);
  });
});
