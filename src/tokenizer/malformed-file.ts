/** What the readers of `tokenizer.json` share: its error, and safe ways to show what they found. */
import { PlaygroundError } from '../core/errors';

/** The error for a `tokenizer.json` that cannot be used. */
export function malformedFile(message: string): PlaygroundError {
  return new PlaygroundError({
    code: 'format',
    field: 'tokenizer.json',
    message: `tokenizer.json: ${message}.`,
    remedy:
      'Use a byte-level BPE tokenizer.json, as the models of the Llama 3, SmolLM and GPT-2 families have.',
  });
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The `type` of a part of the file; a hostile one may be long, or no text at all. */
export function describeType(value: unknown): string {
  const type = isRecord(value) ? value['type'] : value;
  if (type === null || type === undefined) return 'nothing';
  return typeof type === 'string' ? quote(type) : `a ${typeof type}`;
}

/** The beginning of a text from the file, in quotes. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
