import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDemonstrations } from '../../../src/formats/demonstrations';
import { MAX_NOTES, MAX_ROWS } from '../../../src/formats/demonstration-rows';
import { clock } from './fuzz';

const GOOD = { prompt: 'Hi', completion: 'Ho' };
const row = (line: number, prompt = 'Hi', completion = 'Ho'): unknown => ({
  prompt,
  completion,
  line,
});

describe('tables', () => {
  it.each([
    ['csv', ','],
    ['csv', ';'],
    ['tsv', '\t'],
  ])('%s with %j: quotes, separators and line breaks in cells, lines counted', (format, s) => {
    const text = `\nid${s}Prompt${s}completion\r\n1${s}"Hi"${s}Ho\r\n2${s}"a ""b""${s}\r\nc"${s}"d\n\ne"\n\n3${s}Hi${s}Ho`;
    expect(parseDemonstrations(text)).toEqual({
      format,
      rows: [row(3), row(4, `a "b"${s}\nc`, 'd\n\ne'), row(9)],
      rejected: [],
      warnings: [],
    });
  });

  it('Alpaca and Dolly columns', () => {
    expect(parseDemonstrations('instruction,input,output\nAdd,2 3,5\nSay,,x').rows).toEqual([
      row(2, 'Add\n\n2 3', '5'),
      row(3, 'Say', 'x'),
    ]);
    expect(parseDemonstrations('instruction\tcontext\tresponse\nWho?\tHe.\tMe').rows).toEqual([
      row(2, 'Who?\n\nHe.', 'Me'),
    ]);
  });

  it('bad rows are named and cost only themselves', () => {
    const text =
      'prompt,completion\nHi,Ho\nHi\na,b,c\nHi,"never closed\nHi,Ho\n,x\n"a "b" c",Ho\nHi,"x"y\nHi,Ho';
    const { rows, rejected } = parseDemonstrations(text);
    expect(
      rows.filter((r) => r.prompt === 'Hi' && r.completion === 'Ho').map(({ line }) => line),
    ).toEqual([2, 6, 10]);
    expect(rows.find(({ line }) => line === 8)).toEqual(row(8, 'a "b" c', 'Ho'));
    expect(rejected.map(({ line }) => line)).toEqual([3, 4, 5, 7, 9]);
    expect(rejected[1]!.reason).toContain('3 cells');
    expect(rejected[2]!.reason).toContain('quote');
  });

  it('a table of unclosed quotes ends, and its good rows are kept', () => {
    const text = `prompt,completion\n${'"x,y\nHi,Ho\n'.repeat(2000)}`;
    const { rows, rejected } = parseDemonstrations(text);
    expect(rows.filter((r) => r.prompt === 'Hi').length + rejected.length).toBeGreaterThanOrEqual(
      2000,
    );
  });

  it('a table with unknown columns is refused with the names that are known', () => {
    const { format, rejected } = parseDemonstrations('a,b\n1,2');
    expect(format).toBe('unknown');
    expect(rejected[0]!.reason).toContain('prompt and completion');
  });
});

describe('anything else', () => {
  it.each(['', ' \n\t', '\ufeff'])('empty: %j', (text) => {
    expect(parseDemonstrations(text)).toMatchObject({
      format: 'empty',
      rows: [],
      rejected: [{ line: 1 }],
    });
  });

  it('prose and binary are refused once, with what to do', () => {
    expect(parseDemonstrations('Just some prose.').rejected[0]!.reason).toContain('Prompt:');
    expect(parseDemonstrations('\0\x01PK\x03\x04').rejected[0]!.reason).toContain('binary');
    expect(
      parseDemonstrations('\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd!').rejected[0]!.reason,
    ).toContain('binary');
  });

  it.each(['[]', 'prompt,completion\n', 'prompt,completion\n,\n'])(
    '%j holds no row and says so',
    (text) => {
      expect(parseDemonstrations(text).rejected).toHaveLength(1);
    },
  );

  it('keeps to the limits and says what was left out', () => {
    const text = `${JSON.stringify(GOOD)}\n`.repeat(MAX_ROWS + MAX_NOTES + 7);
    const { rows, rejected } = parseDemonstrations(text);
    expect(rows).toHaveLength(MAX_ROWS);
    expect(rejected[0]).toEqual({
      line: MAX_ROWS + 1,
      reason: expect.stringContaining('more than 5000') as string,
    });
    expect(rejected).toHaveLength(MAX_NOTES + 1);
    expect(rejected.at(-1)!.reason).toBe('and 7 more rows after this');
  });

  it('never throws, and every row is inside the limits', () => {
    const bit = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ',',
      ':',
      '\n',
      '\r\n',
      '\t',
      ';',
      '\\',
      ' ',
      'prompt',
      'completion',
      'Prompt:',
      'Response:',
      '"prompt":"Hi"',
      '"completion":"Ho"',
      'prompt,completion\n',
      '{"prompt":"Hi","completion":"Ho"}',
      '[{',
      'null',
      '\0',
      '\ufffd',
      '🐐',
    );
    const junk = fc.oneof(
      fc.array(bit, { maxLength: 40 }).map((b) => b.join('')),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(junk, (text) => {
        const lineCount = text.split(/\r\n?|\n/).length;
        const { rows, rejected } = parseDemonstrations(text);
        expect(rows.length + rejected.length).toBeGreaterThan(0);
        for (const { line, prompt, completion } of rows) {
          expect(
            line >= 1 &&
              line <= lineCount &&
              prompt.trim() === prompt &&
              prompt !== '' &&
              completion !== '',
          ).toBe(true);
        }
        for (const { line } of rejected) expect(line >= 1 && line <= lineCount).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  const filler = 'the goat ate the hat of the mayor. '.repeat(5);
  const repeat = (unit: string): string => unit.repeat(Math.ceil(10_000_000 / unit.length));
  it.each<[string, string]>([
    ['text blocks', repeat(`Prompt: ${filler}\nResponse: ${filler}\n\n`)],
    ['JSONL', repeat(`${JSON.stringify({ prompt: filler, completion: filler })}\n`)],
    [
      'a JSON array on one line',
      `[${repeat(`${JSON.stringify({ prompt: filler, completion: filler })},`)}{}]`,
    ],
    [
      'a damaged JSON array on one line',
      `[${repeat(`${JSON.stringify({ prompt: filler, completion: filler })},`)}{"`,
    ],
    ['CSV', `prompt,completion\n${repeat(`"${filler}","${filler}"\n`)}`],
    ['CSV with broken quotes', `prompt,completion\n${repeat(`"${filler},"${filler}"\n`)}`],
    ['CSV of unclosed quotes', `prompt,completion\n${repeat('"x,y\nHi,Ho\n')}`],
    ['prose', repeat(filler)],
    ['one quote', `prompt,completion\n"${repeat('a')}`],
    ['open brackets', repeat('{')],
    ['lines of open brackets', repeat('{\n')],
    ['array of open strings', `[${repeat('{"a\n')}`],
    ['spaces', `x${repeat(' ')}x`],
    ['line breaks and spaces', `{${repeat('\n ')}`],
    ['labels', repeat('Prompt:\n')],
    ['backslashes', `Prompt: a\nResponse: b\n${repeat('\\')}`],
  ])('10 MB of %s', (_name, text) => {
    const elapsed = clock();
    parseDemonstrations(text);
    // 2 s is the aim on an idle machine; three times that leaves room for a busy one.
    expect(elapsed()).toBeLessThan(6000);
  });
});
