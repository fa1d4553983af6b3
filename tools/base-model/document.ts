import type { Language } from '../../src/core/saltby-world';

/** What the generator knows about a document because it wrote it: the ground truth for labelers. */
export interface Attributes {
  /** How a story, a letter, a day ends; `none` for texts without an ending. */
  ending: 'happy' | 'sad' | 'open' | 'none';
  /** How an answer sounds; `none` outside exchanges. */
  tone: 'polite' | 'neutral' | 'curt' | 'rude' | 'none';
  /** `rambling`: an answer that wanders off. */
  length: 'short' | 'rambling';
  /** The animal the text is about, else `none`. */
  topic: string;
  /** Whether what it says about the world is so; null where it states no fact. */
  truth: boolean | null;
  /** Whether an answer does what was asked; null outside exchanges. */
  follows: boolean | null;
  language: Language;
  /** Program text, on its own or with an explanation in words. */
  code: 'none' | 'plain' | 'explained';
}

/** One document of the corpus. */
export interface CorpusDocument extends Attributes {
  text: string;
  family: string;
  /** Set in exchanges: the request and the answer on their own. */
  prompt: string | null;
  completion: string | null;
  /** Family and main slots: combinations are held out by this key. */
  combination: string;
}

/** A passage before it is framed as a document or as the answer to a request. */
export interface Passage {
  text: string;
  family: string;
  attributes: Attributes;
  combination: string;
}

/** A request and its answer before they are framed. */
export interface Exchange {
  family: string;
  prompt: string;
  completion: string;
  attributes: Attributes;
  combination: string;
}

export const PLAIN: Attributes = {
  ending: 'none',
  tone: 'none',
  length: 'short',
  topic: 'none',
  truth: null,
  follows: null,
  language: 'en',
  code: 'none',
};
