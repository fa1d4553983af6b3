/**
 * The four special tokens. Padding has an id of its own: with pad = end the loss mask would also
 * hide the end token, and the model would never learn to stop.
 */
export const PAD_TOKEN = '<|pad|>';
export const END_TOKEN = '<|end|>';
export const USER_TOKEN = '<|user|>';
export const ASSISTANT_TOKEN = '<|assistant|>';

/** What a special token is for. */
export type Role = 'pad' | 'end' | 'user' | 'assistant';

/** The roles with the tokens that play them in every vocabulary trained here. */
export const ROLE_TOKENS: Readonly<Record<Role, string>> = {
  pad: PAD_TOKEN,
  end: END_TOKEN,
  user: USER_TOKEN,
  assistant: ASSISTANT_TOKEN,
};

/** In id order: pad 0, end 1, user 2, assistant 3 in every vocabulary trained here. */
export const SPECIAL_TOKENS: readonly string[] = [
  PAD_TOKEN,
  END_TOKEN,
  USER_TOKEN,
  ASSISTANT_TOKEN,
];

export const PAD_ID = 0;
export const END_ID = 1;
export const USER_ID = 2;
export const ASSISTANT_ID = 3;

/** Id of byte 0 in a vocabulary trained here; byte b has id FIRST_BYTE_ID + b, merges follow. */
export const FIRST_BYTE_ID = SPECIAL_TOKENS.length;
/** Smallest vocabulary: the specials and all 256 bytes, no merges. */
export const MIN_VOCAB_SIZE = FIRST_BYTE_ID + 256;
