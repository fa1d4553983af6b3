/**
 * GPT-2's pre-tokenizer: merges never cross these boundaries. `\s` is spelled `\p{White_Space}`
 * because JavaScript's `\s` counts U+FEFF and misses U+0085, unlike the Unicode class that Hugging
 * Face `tokenizers` uses: ids must be equal there. A leading space belongs to the word after it.
 */
const PRE_TOKEN =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** The pre-tokens of `text` in order; joined they are `text` again. */
export function* preTokens(text: string): Generator<string> {
  for (const match of text.matchAll(PRE_TOKEN)) yield match[0];
}
