/** What the generator knows about a document because it wrote it: the ground truth for labelers. */
export interface Attributes {
  /** How a story ends; `none` for texts that are no stories. */
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

export const PLAIN: Attributes = {
  ending: 'none',
  tone: 'none',
  length: 'short',
  topic: 'none',
  truth: null,
  follows: null,
};
