/** Which texts the generator could have written, by its grammar and by its words; answers by format. */
import { skeletonOf } from './slots';
import { sentencesOf, wordsOf } from './text-units';

/** What one generator writes, learned from its documents. */
export class Acceptance {
  private readonly words = new Set<string>();
  private readonly skeletons = new Set<string>();
  /** Sentences as they were written: most come again, and their skeleton is known then. */
  private readonly seen = new Set<string>();

  /** The words of a document count as spelled right, the skeletons of its sentences as grammar. */
  learn(document: string): void {
    for (const sentence of sentencesOf(document)) {
      if (this.seen.has(sentence)) continue;
      this.seen.add(sentence);
      this.skeletons.add(skeletonOf(sentence));
      for (const word of wordsOf(sentence)) this.words.add(word);
    }
  }

  /** Every word is one of the generator's. A broken character (U+FFFD) is no part of any word. */
  isSpelled(text: string): boolean {
    return !text.includes('\uFFFD') && wordsOf(text).every((word) => this.words.has(word));
  }

  /** Every sentence is one of the generator's but for what fills its slots; '' has none. */
  isGrammatical(text: string): boolean {
    const sentences = sentencesOf(text);
    return sentences.length > 0 && sentences.every((one) => this.skeletons.has(skeletonOf(one)));
  }

  get size(): { words: number; skeletons: number } {
    return { words: this.words.size, skeletons: this.skeletons.size };
  }
}

/** One answer to a held-out prompt. */
export interface Answer {
  prompt: string;
  text: string;
  finish: 'eos' | 'length';
  /** Whether a token of the template (user, assistant, padding) stands in it. */
  templateTokens: boolean;
}

/** What makes an answer one in the format. */
export interface FormatChecks {
  /** It wrote the end token, and no other token of the template. */
  ended: boolean;
  /** It holds a word. */
  notEmpty: boolean;
  /** It does not hold the whole prompt, whatever the capitals. */
  noEcho: boolean;
  /** It holds only words of `words`. */
  spelled: boolean;
}

/** @param isSpelled whether a text holds only known words */
export function formatChecks(answer: Answer, isSpelled: (text: string) => boolean): FormatChecks {
  const text = answer.text.toLowerCase();
  return {
    ended: answer.finish === 'eos' && !answer.templateTokens,
    notEmpty: wordsOf(text).length > 0,
    noEcho: !text.includes(answer.prompt.trim().toLowerCase()),
    spelled: isSpelled(answer.text),
  };
}

export const inFormat = (checks: FormatChecks): boolean => Object.values(checks).every(Boolean);
