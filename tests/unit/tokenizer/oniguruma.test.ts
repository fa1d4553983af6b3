import { describe, expect, it } from 'vitest';
import { PatternRefused, translatePattern } from '../../../src/tokenizer/oniguruma';
import { compilePreTokenizer } from '../../../src/tokenizer/pre-tokenize';

const matches = (pattern: string, text: string): string[] =>
  text.match(new RegExp(translatePattern(pattern), 'gu')) ?? [];

describe('patterns of published tokenizers', () => {
  // Against Oniguruma itself: golden-kinds.test.ts (Llama 3, Qwen 2, GPT-4o).
  it.each([
    ['DeepSeek', '\\s?[!-/:-~！-／：-～‘-‟　-。]+', ' !?x …', [' !?x']],
    ['DeepSeek', '[一-龥ࠀ-一가-퟿]+', 'a海边b가나', ['海边', '가나']],
    ['DeepSeek', '[\r\n]', 'a\r\nb', ['\r', '\n']],
    ['Falcon', '[0-9][0-9][0-9]', '12345', ['123']],
    ['StarCoder', '\\p{Nd}{1,2}', '12345', ['12', '34', '5']],
    ['scripts', '\\p{Han}+|\\P{Han}', '海边a', ['海边', 'a']],
    ['lookahead', 'a(?=b)|c(?!b)', 'abacbcd', ['a', 'c']],
    ['lazy', 'a+?', 'aaa', ['a', 'a', 'a']],
    ['dot', '.+', 'a\rb\u2028c\nd', ['a\rb\u2028c', 'd']],
    ['Unicode white space', '\\s+', 'a\ufeffb\u0085c', ['\u0085']],
    [
      'letters of any case',
      "(?i:'s|'k)",
      "'S'\u017f'K'\u212a'x",
      ["'S", "'\u017f", "'K", "'\u212a"],
    ],
  ])('%s: %s', (_name, pattern, text, expected) => {
    expect(matches(pattern, text)).toEqual(expected);
  });

  it('never gives back what a possessive run took', () => {
    expect(matches('a?+a|b', 'ab')).toEqual(['b']);
    expect(matches('a?a|b', 'ab')).toEqual(['a', 'b']);
    expect(matches('a*+b|c++', 'aabcc')).toEqual(['aab', 'cc']);
  });
});

describe('what is refused', () => {
  it.each([
    ['a(', /no \)/],
    ['a)', /no \(/],
    ['[a', /ends too early/],
    ['[]a]', /empty class/],
    ['[[a]]', /class inside a class/],
    ['[a&&b]', /class inside a class/],
    ['[z-a]', /reversed/],
    ['[\\s-a]', /range from/],
    ['a**', /\* is not supported here/],
    ['+', /\+ is not supported here/],
    ['a{2,1}', /reversed/],
    ['a{,2}', /\{,2\}/],
    ['a{1,2}+', /repetition/],
    ['a{1,999}', /repetition/],
    ['^a', /\^ is not supported/],
    ['a$', /\$ is not supported/],
    ['\\w', /escape \\w/],
    ['\\h', /escape \\h/],
    ['\\1', /escape \\1/],
    ['\\pL', /without \{/],
    ['\\p{Cn}', /\\p\{Cn\}/],
    ['(?<=a)b', /group \(\?</],
    ['(?>a)', /group \(\?>/],
    ['(?i)a', /\(\?i:…\)/],
    ['(?i:[a])', /inside \(\?i/],
    ['(?i:é)', /inside \(\?i/],
    ['(?i:ss)', /fold together/],
    ['(?=a)?', /group followed by/],
    ['a'.repeat(5000), /longer than/],
    ['('.repeat(50), /nested too deeply/],
    ['\ud800', /half a character/],
  ])('%s', (pattern, message) => {
    expect(() => translatePattern(pattern)).toThrow(PatternRefused);
    expect(() => translatePattern(pattern)).toThrow(message);
  });

  it.each([
    '(a+)+b',
    '(a|aa)+b',
    '(a|a)*b',
    '(a{1,50}){1,50}b',
    'a*a*a*b',
    'a{0,50}a{0,50}a{0,50}b',
    `${'a?'.repeat(30)}b`,
    '(a*)?(a*)?(a*)?b',
    '((a+)?)+b',
  ])('%s, which can take for ever', (pattern) => {
    expect(() => translatePattern(pattern)).toThrow(PatternRefused);
  });
});

describe('splits', () => {
  const step = { type: 'Split', behavior: 'Isolated', invert: false } as const;
  it('at a plain text, whatever signs it holds', () => {
    const split = compilePreTokenizer([{ ...step, pattern: { String: '.*(' } }]);
    expect(split('a.*(b.*(')).toEqual(['a', '.*(', 'b', '.*(']);
  });

  it('drop what matches, or what does not', () => {
    const removed = { ...step, behavior: 'Removed', pattern: { Regex: '\\s' } } as const;
    expect(compilePreTokenizer([removed])('a b')).toEqual(['a', 'b']);
    expect(compilePreTokenizer([{ ...removed, invert: true }])('a b')).toEqual([' ']);
  });

  it('in order, each inside the words of the one before', () => {
    const split = compilePreTokenizer([
      { ...step, pattern: { Regex: '\\n' } },
      { type: 'Digits', individual_digits: false },
      { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    ]);
    expect(split("a12\n it's")).toEqual([' a', ' 12', ' \n', ' it', "'s"]);
  });
});
