/** Text → words that merges never cross: Hugging Face's `pre_tokenizer`. */
import { translatePattern } from './oniguruma';

/**
 * GPT-2's pre-tokenizer: merges never cross these boundaries. `\s` is spelled `\p{White_Space}`
 * because JavaScript's `\s` counts U+FEFF and misses U+0085, unlike the Unicode class that Hugging
 * Face `tokenizers` uses: ids must be equal there. A leading space belongs to the word after it.
 */
const PRE_TOKEN =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** The pre-tokens of `text` in order; joined they are `text` again. */
export function preTokens(text: string): string[] {
  return text.match(PRE_TOKEN) ?? [];
}

/** One step, in the words of `tokenizer.json`. */
export type PreTokenizerStep = ByteLevelStep | DigitsStep | SplitStep;

export interface ByteLevelStep {
  type: 'ByteLevel';
  /** A word that does not begin with a space gets one. */
  add_prefix_space: boolean;
  /** Offsets only; kept because files carry it. */
  trim_offsets: boolean;
  /** Whether GPT-2's pattern is applied. */
  use_regex: boolean;
}

export interface DigitsStep {
  type: 'Digits';
  /** Each digit on its own, or runs of them. */
  individual_digits: boolean;
}

export interface SplitStep {
  type: 'Split';
  pattern: { Regex: string } | { String: string };
  /** Isolated: matches and what lies between are words. Removed: what matches is dropped. */
  behavior: 'Isolated' | 'Removed';
  /** With Removed: what does not match is dropped. */
  invert: boolean;
}

export type PreTokenizer = (text: string) => readonly string[];

/** @throws PatternRefused for a pattern that JavaScript cannot match in the same way */
export function compilePreTokenizer(steps: readonly PreTokenizerStep[]): PreTokenizer {
  const splitters = steps.map(compileStep);
  const [only] = splitters;
  if (splitters.length === 1) return only!;
  return (text) => {
    let words: readonly string[] = [text];
    for (const split of splitters) words = words.flatMap(split);
    return words;
  };
}

function compileStep(step: PreTokenizerStep): PreTokenizer {
  switch (step.type) {
    case 'ByteLevel': {
      const split: PreTokenizer = step.use_regex ? preTokens : (text) => [text];
      if (!step.add_prefix_space) return split;
      return (text) => split(text.startsWith(' ') ? text : ` ${text}`);
    }
    case 'Digits': {
      const digits = step.individual_digits ? /\p{N}/gu : /\p{N}+/gu;
      return (text) => splitAt(text, digits, { matches: true, between: true });
    }
    case 'Split': {
      const pattern = new RegExp(patternSource(step.pattern), 'gu');
      const isolated = step.behavior === 'Isolated';
      const keep = { matches: isolated || step.invert, between: isolated || !step.invert };
      return (text) => splitAt(text, pattern, keep);
    }
  }
}

function patternSource(pattern: SplitStep['pattern']): string {
  if ('Regex' in pattern) return translatePattern(pattern.Regex);
  return pattern.String.replace(/[$()*+.?[\\\]^{|}/]/g, '\\$&');
}

function splitAt(
  text: string,
  pattern: RegExp,
  keep: { matches: boolean; between: boolean },
): string[] {
  const words: string[] = [];
  let done = 0;
  for (const { 0: match, index } of text.matchAll(pattern)) {
    if (keep.between && index > done) words.push(text.slice(done, index));
    if (keep.matches && match.length > 0) words.push(match);
    done = index + match.length;
  }
  if (keep.between && done < text.length) words.push(text.slice(done));
  return words;
}
