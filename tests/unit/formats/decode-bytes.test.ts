import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBytes } from '../../../src/formats/decode-bytes';

const TEXT = 'Prompt: ¿Qué? 🐐\nResponse: 山\n';
const utf16 = (text: string, bigEndian: boolean): Uint8Array => {
  const bytes = new Uint8Array(text.length * 2);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < text.length; i++) view.setUint16(i * 2, text.charCodeAt(i), !bigEndian);
  return bytes;
};
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const join = (...parts: (Uint8Array | number[])[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((p) => [...p]));

describe('decodeBytes', () => {
  it.each<[string, Uint8Array, string]>([
    ['UTF-8', utf8(TEXT), 'utf-8'],
    ['UTF-8 with a mark', join([0xef, 0xbb, 0xbf], utf8(TEXT)), 'utf-8'],
    ['UTF-16 LE with a mark', join([0xff, 0xfe], utf16(TEXT, false)), 'utf-16le'],
    ['UTF-16 BE with a mark', join([0xfe, 0xff], utf16(TEXT, true)), 'utf-16be'],
    ['UTF-16 LE without', utf16(TEXT, false), 'utf-16le'],
    ['UTF-16 BE without', utf16(TEXT, true), 'utf-16be'],
  ])('reads %s', (_name, bytes, encoding) => {
    expect(decodeBytes(bytes)).toEqual({ text: TEXT, encoding });
  });

  it('falls back to Windows-1252 and says so', () => {
    const { text, encoding, warning } = decodeBytes(Uint8Array.of(0x63, 0x61, 0x66, 0xe9));
    expect([text, encoding]).toEqual(['café', 'windows-1252']);
    expect(warning).toContain('Windows-1252');
  });

  it('keeps UTF-8 with a few broken bytes, and says so', () => {
    const decoded = decodeBytes(join(utf8('señor niño año'), [0xc3, 0x28], utf8(' más')));
    expect(decoded.encoding).toBe('utf-8');
    expect(decoded.text).toContain('señor niño año');
    expect(decoded.warning).toContain('UTF-8');
  });

  it('warns of binary data', () => {
    expect(decodeBytes(Uint8Array.of(1, 0, 0, 2, 3, 0, 0, 0)).warning).toContain('binary');
  });

  it('reads an empty file', () => {
    expect(decodeBytes(new Uint8Array(0))).toEqual({ text: '', encoding: 'utf-8' });
  });

  it('never throws, and gives back any UTF-8 text without zeros', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => typeof decodeBytes(bytes).text === 'string'));
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }).filter((s) => !/[\0\ufeff\ufffd]/.test(s)),
        (text) => {
          expect(decodeBytes(utf8(text)).text).toBe(text);
        },
      ),
    );
  });
});
