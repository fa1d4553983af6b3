/**
 * Tokens that are found in the text before it is divided into words: Hugging Face's `added_tokens`.
 * Follows `AddedVocabulary::find_matches` in huggingface/tokenizers: the leftmost match, the longest
 * of several, first those that match the raw text, then those that match the normalized rest.
 */

/** In the words of `tokenizer.json`. */
export interface AddedToken {
  id: number;
  content: string;
  /** Only where no letter or digit touches it. */
  single_word: boolean;
  /** Swallows the white space before it. */
  lstrip: boolean;
  /** Swallows the white space after it. */
  rstrip: boolean;
  /** Looked for in the normalized text. */
  normalized: boolean;
  /** Part of the protocol, not of the text: left out of decoded text on request. */
  special: boolean;
}

/** A found token's id, or text that is still to be encoded. */
export type Segment = number | string;

const WORD_AT_START = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const WORD_AT_END = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
const WHITE_SPACE = /^\p{White_Space}$/u;

export class AddedTokenFinder {
  private readonly raw: Candidates;
  private readonly normalized: Candidates;
  private readonly normalize: (text: string) => string;

  constructor(tokens: readonly AddedToken[], normalize: (text: string) => string) {
    this.normalize = normalize;
    this.raw = new Candidates(tokens.filter((token) => !token.normalized));
    this.normalized = new Candidates(
      tokens
        .filter((token) => token.normalized)
        .map((token) => ({ ...token, content: normalize(token.content) })),
    );
  }

  /** @param parseSpecial whether special tokens are found too, or stay plain text */
  split(text: string, parseSpecial: boolean): Segment[] {
    return this.raw
      .split(text, parseSpecial)
      .flatMap((segment) =>
        typeof segment === 'number'
          ? segment
          : this.normalized.split(this.normalize(segment), parseSpecial),
      );
  }
}

/** Tokens by their first UTF-16 unit, longest first. */
class Candidates {
  private readonly byFirst = new Map<number, AddedToken[]>();
  private readonly hasPlain: boolean;

  constructor(tokens: readonly AddedToken[]) {
    this.hasPlain = tokens.some((token) => !token.special);
    const longestFirst = [...tokens].sort((a, b) => b.content.length - a.content.length);
    for (const token of longestFirst) {
      const first = token.content.charCodeAt(0);
      const known = this.byFirst.get(first);
      if (known === undefined) this.byFirst.set(first, [token]);
      else known.push(token);
    }
  }

  split(text: string, parseSpecial: boolean): Segment[] {
    if (text === '') return [];
    if (this.byFirst.size === 0 || !(parseSpecial || this.hasPlain)) return [text];
    const segments: Segment[] = [];
    let done = 0;
    for (let at = 0; at < text.length;) {
      const token = this.byFirst
        .get(text.charCodeAt(at))
        ?.find(({ content }) => text.startsWith(content, at));
      if (token === undefined) {
        at++;
        continue;
      }
      let start = at;
      let end = at + token.content.length;
      at = end;
      if (token.special && !parseSpecial) continue;
      if (token.single_word && !standsAlone(text, start, end)) continue;
      if (token.lstrip) while (start > done && WHITE_SPACE.test(text[start - 1]!)) start--;
      if (token.rstrip) while (end < text.length && WHITE_SPACE.test(text[end]!)) end++;
      if (start > done) segments.push(text.slice(done, start));
      segments.push(token.id);
      done = end;
    }
    if (done < text.length) segments.push(text.slice(done));
    return segments;
  }
}

function standsAlone(text: string, start: number, end: number): boolean {
  return (
    !WORD_AT_END.test(text.slice(Math.max(0, start - 2), start)) &&
    !WORD_AT_START.test(text.slice(end, end + 2))
  );
}
