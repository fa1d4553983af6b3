import type { Tokenizer } from './tokenizer';

/**
 * Plain text → documents for pretraining: blank lines (one or more) divide it. Documents are
 * trimmed, so each starts at a word, as completions do after `<|assistant|>`.
 */
export function splitDocuments(text: string): string[] {
  return text
    .split(/\r?\n(?:[ \t]*\r?\n)+/)
    .map((document) => document.trim())
    .filter((document) => document.length > 0);
}

/** A pretraining document: its ids, then `<|end|>`, so that base models learn to stop. */
export function encodeDocument(tokenizer: Tokenizer, text: string): number[] {
  const ids = [...tokenizer.prefixIds, ...tokenizer.encode(text)];
  ids.push(tokenizer.endId);
  return ids;
}
