/** How the bytes of a dropped file were read. */
export interface DecodedText {
  text: string;
  encoding: 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';
  /** A plain sentence when characters may be wrong. */
  warning?: string;
}

/** Enough to judge by. */
const SAMPLE_BYTES = 65_536;
const BINARY_WARNING = 'This looks like a binary file, not text.';

/**
 * Bytes of a file → text. A byte-order mark decides; without one, zero bytes in every second place
 * mean UTF-16, then UTF-8 is tried, and what is not UTF-8 is read as Windows-1252 (a superset of
 * Latin-1, what old spreadsheets write). Never throws.
 */
export function decodeBytes(bytes: Uint8Array): DecodedText {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return decodeUtf8(bytes);
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return decodeUtf16(bytes, 'utf-16le');
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return decodeUtf16(bytes, 'utf-16be');
  const zeros = countZeros(bytes.subarray(0, SAMPLE_BYTES));
  if (zeros.odd > zeros.pairs * 0.3 && zeros.even === 0) return decodeUtf16(bytes, 'utf-16le');
  if (zeros.even > zeros.pairs * 0.3 && zeros.odd === 0) return decodeUtf16(bytes, 'utf-16be');
  const decoded = decodeUtf8(bytes);
  return zeros.even + zeros.odd > 0 ? { ...decoded, warning: BINARY_WARNING } : decoded;
}

function countZeros(sample: Uint8Array): { even: number; odd: number; pairs: number } {
  let even = 0;
  let odd = 0;
  for (let i = 0; i < sample.length; i++) {
    if (sample[i] !== 0) continue;
    if (i % 2 === 0) even++;
    else odd++;
  }
  return { even, odd, pairs: sample.length >> 1 };
}

function decodeUtf16(bytes: Uint8Array, encoding: 'utf-16le' | 'utf-16be'): DecodedText {
  const text = new TextDecoder(encoding).decode(bytes);
  return withLossWarning({ text, encoding });
}

function decodeUtf8(bytes: Uint8Array): DecodedText {
  const text = new TextDecoder('utf-8').decode(bytes);
  const lost = text.split('\ufffd').length - 1;
  if (lost === 0) return { text, encoding: 'utf-8' };
  // Mostly good multi-byte characters: UTF-8 with a few broken bytes. Otherwise not UTF-8 at all.
  const beyondAscii = text.match(/[^\0-\x7f]/gu)?.length ?? 0;
  if (lost * 2 < beyondAscii) return withLossWarning({ text, encoding: 'utf-8' });
  return {
    text: new TextDecoder('windows-1252').decode(bytes),
    encoding: 'windows-1252',
    warning: 'The file is not UTF-8; it was read as Windows-1252. Check accented letters.',
  };
}

function withLossWarning(decoded: DecodedText): DecodedText {
  if (!decoded.text.includes('\ufffd')) return decoded;
  const warning = `Some bytes are not ${decoded.encoding.toUpperCase()}; the rows that hold them are refused.`;
  return { ...decoded, warning };
}
