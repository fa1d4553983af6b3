/** How the measures cut a text: words, and the sentences that the grammar is asked about. */

/** Words in lower case; an apostrophe inside belongs to the word. Digits are no words. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/\p{L}+(?:'\p{L}+)*/gu) ?? [];
}

/** Words and numbers in lower case, without punctuation: what n-grams are counted over. */
export function tokensOf(text: string): string[] {
  return text.toLowerCase().match(/\p{L}+(?:'\p{L}+)*|\p{N}+/gu) ?? [];
}

/**
 * Sentences: a text is cut at line ends, at double quotes, after `.`, `!` and `?` before a space, and
 * after the colon of a speaker ("Ben: "). What stands between two cuts is a sentence, with its
 * closing mark; spoken words are sentences of their own.
 */
export function sentencesOf(text: string): string[] {
  return text
    .split(/\n|"|(?<=[.!?])\s+|(?<=:)\s+/u)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
