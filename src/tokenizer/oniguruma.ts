/**
 * Hugging Face `tokenizers` runs its patterns with Oniguruma (Ruby syntax, UTF-8). The part of that
 * language that pre-tokenizers use is rewritten here for JavaScript's `u` mode; whatever would match
 * differently, or could take very long on an unlucky text, is refused by name.
 * Syntax: https://github.com/kkos/oniguruma/blob/master/doc/RE
 */

/** General categories: the same name means the same class to both. */
const CATEGORY = /^(?:L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|Cc|Cf|Co)$/;
const SCRIPTS: ReadonlySet<string> = new Set(
  'Arabic Armenian Bengali Cyrillic Devanagari Georgian Greek Han Hangul Hebrew Hiragana Katakana Latin Tamil Thai'.split(
    ' ',
  ),
);
/** ASCII letters have these other cases beyond ASCII (Unicode simple case folding). */
const OTHER_CASES: Record<string, string> = { s: '\u017f', k: '\u212a' };
/** Oniguruma also folds one letter to several, ß to ss; JavaScript does not. */
const MULTIPLE_FOLDS = /ss|st|ff|fi|fl/;

const MAX_PATTERN_LENGTH = 4000;
const MAX_REPEAT = 100;
/** Two runs in a row can make matching quadratic, as GPT-4o's own pattern is; more is refused. */
const MAX_RUNS = 2;
/** Each option doubles the ways to match. */
const MAX_OPTIONS = 8;
/** `{1,3}` is tried in three ways; a wide span is as costly as an unbounded one. */
const MAX_NARROW_SPAN = 8;
const MAX_DEPTH = 20;

/** Why a pattern cannot be used, for the error of whoever reads the file. */
export class PatternRefused extends Error {}

interface Part {
  source: string;
  /** Long repetitions that can follow one another in a match. */
  runs: number;
  /** Optional parts and short repetitions that can follow one another in a match. */
  options: number;
  isGroup: boolean;
}

/**
 * An Oniguruma pattern as the source of a JavaScript RegExp with the flags `gu`.
 * @throws PatternRefused saying which construct is not supported
 */
export function translatePattern(pattern: string): string {
  if (pattern.length > MAX_PATTERN_LENGTH) {
    throw new PatternRefused(`it is longer than ${MAX_PATTERN_LENGTH} characters`);
  }
  const parser = new Parser(pattern);
  const { source } = parser.alternatives(0);
  parser.expectEnd();
  return source;
}

class Parser {
  private readonly chars: string[];
  private at = 0;
  private captures = 0;

  constructor(pattern: string) {
    this.chars = [...pattern];
  }

  expectEnd(): void {
    if (this.at < this.chars.length) throw new PatternRefused('a ) has no (');
  }

  alternatives(depth: number): Part {
    if (depth > MAX_DEPTH) throw new PatternRefused('its groups are nested too deeply');
    const all: Part = { source: '', runs: 0, options: 0, isGroup: false };
    for (;;) {
      const one = this.sequence(depth);
      all.source += one.source;
      all.runs = Math.max(all.runs, one.runs);
      all.options = Math.max(all.options, one.options);
      if (!this.take('|')) return all;
      all.source += '|';
    }
  }

  private sequence(depth: number): Part {
    const whole: Part = { source: '', runs: 0, options: 0, isGroup: false };
    while (
      this.at < this.chars.length &&
      this.chars[this.at] !== '|' &&
      this.chars[this.at] !== ')'
    ) {
      const part = this.quantified(this.atom(depth));
      whole.source += part.source;
      whole.runs += part.runs;
      whole.options += part.options;
    }
    if (whole.runs > MAX_RUNS) {
      throw new PatternRefused(`one alternative has more than ${MAX_RUNS} long repetitions`);
    }
    if (whole.options > MAX_OPTIONS) {
      throw new PatternRefused(`one alternative has more than ${MAX_OPTIONS} optional parts`);
    }
    return whole;
  }

  private atom(depth: number): Part {
    const char = this.next();
    if (char === '(') return this.group(depth);
    let source: string;
    if (char === '[') source = this.charClass();
    else if (char === '\\') source = this.escape();
    else if (char === '.') source = '[^\\n]';
    else if ('^$*+?'.includes(char)) throw new PatternRefused(`${char} is not supported here`);
    else source = literal(char);
    return { source, runs: 0, options: 0, isGroup: false };
  }

  private group(depth: number): Part {
    let open = '(?:';
    if (this.take('?')) {
      if (this.take('=')) open = '(?=';
      else if (this.take('!')) open = '(?!';
      else if (this.take('i')) return this.caseInsensitive();
      else if (!this.take(':'))
        throw new PatternRefused(`the group (?${this.peek()} is not supported`);
    }
    const inner = this.alternatives(depth + 1);
    if (!this.take(')')) throw new PatternRefused('a ( has no )');
    return { ...inner, source: `${open}${inner.source})`, isGroup: true };
  }

  /** `(?i:…)` around plain text: each letter becomes the class of its cases. */
  private caseInsensitive(): Part {
    if (!this.take(':')) throw new PatternRefused('the option (?i) is only supported as (?i:…)');
    let source = '';
    let plain = '';
    while (!this.take(')')) {
      const char = this.next();
      plain += char.toLowerCase();
      if (char === '|') source += '|';
      else if (/^[A-Za-z]$/.test(char)) {
        const lower = char.toLowerCase();
        source += `[${lower}${lower.toUpperCase()}${OTHER_CASES[lower] ?? ''}]`;
      } else if (/^[\d' ,;:!"-]$/.test(char)) source += literal(char);
      else throw new PatternRefused(`${char} inside (?i:…) is not supported`);
    }
    if (MULTIPLE_FOLDS.test(plain)) {
      throw new PatternRefused('(?i:…) around letters that fold together is not supported');
    }
    return { source: `(?:${source})`, runs: 0, options: 0, isGroup: true };
  }

  private quantified(atom: Part): Part {
    const { count, long } = this.quantifier();
    if (count === '') return atom;
    if (
      atom.isGroup &&
      (count !== '?' || atom.source.startsWith('(?=') || atom.source.startsWith('(?!'))
    ) {
      throw new PatternRefused(`a group followed by ${count} is not supported`);
    }
    const part = {
      runs: atom.runs + (long ? 1 : 0),
      options: atom.options + (long ? 0 : 1),
      isGroup: false,
    };
    if (count.startsWith('{')) return { source: atom.source + count, ...part };
    if (this.take('?')) return { source: `${atom.source}${count}?`, ...part };
    if (!this.take('+')) return { source: atom.source + count, ...part };
    // Possessive: a lookahead never gives back what it matched, and the reference repeats it.
    this.captures++;
    return { source: `(?:(?=(${atom.source}${count}))\\${this.captures})`, ...part };
  }

  private quantifier(): { count: string; long: boolean } {
    if (this.take('?')) return { count: '?', long: false };
    if (this.take('*')) return { count: '*', long: true };
    if (this.take('+')) return { count: '+', long: true };
    if (this.peek() !== '{') return { count: '', long: false };
    const rest = this.chars.slice(this.at, this.at + 12).join('');
    const match = /^\{(\d{1,3})(?:(,)(\d{1,3})?)?\}(?![?+*{])/.exec(rest);
    const [text, least = '', comma, most] = match ?? [];
    if (text === undefined || Number(least) > MAX_REPEAT || Number(most ?? least) > MAX_REPEAT) {
      throw new PatternRefused(`the repetition ${rest} is not supported`);
    }
    const span =
      most === undefined ? (comma === undefined ? 0 : Infinity) : Number(most) - Number(least);
    if (span < 0) throw new PatternRefused(`the repetition ${text} is reversed`);
    this.at += text.length;
    return { count: text, long: span > MAX_NARROW_SPAN };
  }

  private charClass(): string {
    let source = this.take('^') ? '[^' : '[';
    if (this.peek() === ']') throw new PatternRefused('an empty class is not supported');
    while (!this.take(']')) {
      const from = this.classItem();
      if (this.peek() !== '-' || this.chars[this.at + 1] === ']') {
        source += from;
        continue;
      }
      this.at++;
      const to = this.classItem();
      source += range(from, to);
    }
    return `${source}]`;
  }

  private classItem(): string {
    const char = this.next();
    if (char === '\\') return this.escape();
    if (char === '[' || (char === '&' && this.peek() === '&')) {
      throw new PatternRefused('a class inside a class is not supported');
    }
    return literal(char);
  }

  private escape(): string {
    const char = this.next();
    switch (char) {
      // Oniguruma's \s is Unicode White_Space; JavaScript's is not (U+FEFF, U+0085).
      case 's':
        return '\\p{White_Space}';
      case 'S':
        return '\\P{White_Space}';
      case 'd':
        return '\\p{Nd}';
      case 'D':
        return '\\P{Nd}';
      case 'r':
      case 'n':
      case 't':
        return `\\${char}`;
      case 'p':
      case 'P':
        return this.property(char);
      default:
        if (/^[\p{L}\p{N}]$/u.test(char)) {
          throw new PatternRefused(`the escape \\${char} is not supported`);
        }
        return literal(char);
    }
  }

  private property(letter: 'p' | 'P'): string {
    let name = '';
    if (!this.take('{')) throw new PatternRefused(`\\${letter} without {…} is not supported`);
    while (!this.take('}')) name += this.next();
    if (CATEGORY.test(name)) return `\\${letter}{${name}}`;
    if (SCRIPTS.has(name)) return `\\${letter}{Script=${name}}`;
    throw new PatternRefused(`the property \\${letter}{${name}} is not supported`);
  }

  private peek(): string {
    return this.chars[this.at] ?? '';
  }

  private take(char: string): boolean {
    if (this.chars[this.at] !== char) return false;
    this.at++;
    return true;
  }

  private next(): string {
    const char = this.chars[this.at++];
    if (char === undefined) throw new PatternRefused('it ends too early');
    return char;
  }
}

/** One character that stands for itself, safe inside and outside a class. */
function literal(char: string): string {
  const code = char.codePointAt(0)!;
  if (code >= 0xd800 && code <= 0xdfff) throw new PatternRefused('it holds half a character');
  return /^[\p{L}\p{N} ]$/u.test(char) ? char : `\\u{${code.toString(16)}}`;
}

function range(from: string, to: string): string {
  const [low, high] = [codeOf(from), codeOf(to)];
  if (low > high) throw new PatternRefused(`the range ${from}-${to} is reversed`);
  return `${from}-${to}`;
}

const CONTROL: Record<string, number> = { '\\r': 13, '\\n': 10, '\\t': 9 };

function codeOf(item: string): number {
  const control = CONTROL[item];
  if (control !== undefined) return control;
  if (item.startsWith('\\u{')) return parseInt(item.slice(3, -1), 16);
  if (item.startsWith('\\')) throw new PatternRefused(`the range from ${item} is not supported`);
  return item.codePointAt(0)!;
}
