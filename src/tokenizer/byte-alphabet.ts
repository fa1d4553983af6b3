/**
 * GPT-2's byte ↔ character table. A byte-level vocabulary must be written as text in
 * `tokenizer.json`, but raw bytes include spaces, control characters and invalid UTF-8. Printable
 * Latin-1 characters stand for themselves; the other 68 bytes become U+0100, U+0101, …
 * (a space is written `Ġ`). Source: `bytes_to_unicode` in openai/gpt-2 `src/encoder.py`.
 */

function isPrintableLatin1(byte: number): boolean {
  return (
    (byte >= 0x21 && byte <= 0x7e) ||
    (byte >= 0xa1 && byte <= 0xac) ||
    (byte >= 0xae && byte <= 0xff)
  );
}

function buildAlphabet(): string[] {
  const alphabet: string[] = [];
  let shifted = 0;
  for (let byte = 0; byte < 256; byte++) {
    alphabet.push(String.fromCharCode(isPrintableLatin1(byte) ? byte : 256 + shifted++));
  }
  return alphabet;
}

/** `BYTE_TO_CHAR[byte]` is the one-character stand-in for that byte (256 entries). */
export const BYTE_TO_CHAR: readonly string[] = buildAlphabet();

const CHAR_TO_BYTE: ReadonlyMap<string, number> = new Map(
  BYTE_TO_CHAR.map((char, byte): [string, number] => [char, byte]),
);

/** Stand-in characters → bytes, or null when a character is not in the table. */
export function pieceToBytes(piece: string): Uint8Array | null {
  const bytes = new Uint8Array(piece.length);
  for (let i = 0; i < piece.length; i++) {
    const byte = CHAR_TO_BYTE.get(piece[i]!);
    if (byte === undefined) return null;
    bytes[i] = byte;
  }
  return bytes;
}
