/**
 * A zip archive from somebody else. Its directory is read once and nothing in it is believed: entries
 * may not share bytes, and what comes out of one is counted while it is inflated. Neither ZIP64 nor
 * encryption: a project file has no use for them.
 */
import { Inflate } from 'fflate';
import { PlaygroundError } from '../core/errors';
import { badFile } from './project-json';

export interface ZipEntry {
  path: string;
  /** Bytes in the archive. */
  packed: number;
  /** Bytes when unpacked, as the archive declares them. */
  size: number;
  method: 0 | 8;
  /** Where its local header lies. */
  offset: number;
}

const END = 0x06054b50;
const END_BYTES = 22;
const MAX_COMMENT = 0xffff;
const DIRECTORY = 0x02014b50;
const DIRECTORY_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const ENCRYPTED = 1;
/** Inflated at a time: 16 KB make 16 MB at most before they are counted. */
const PORTION = 2 ** 14;

const noZip = (): Error => badFile('archive', 'it is not a zip file, or it is cut off');
const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * The entries of an archive, in the order of its directory.
 * @param maxEntries more are refused before any is looked at
 * @throws PlaygroundError `format`
 */
export function readDirectory(archive: Uint8Array, maxEntries: number): ZipEntry[] {
  const view = viewOf(archive);
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  if (count > maxEntries) throw badFile('archive', `it holds over ${maxEntries} files`);
  const entries: ZipEntry[] = [];
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < count; i++) {
    if (at + DIRECTORY_BYTES > end || view.getUint32(at, true) !== DIRECTORY) throw noZip();
    const nameEnd = at + DIRECTORY_BYTES + view.getUint16(at + 28, true);
    const next = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (next > end) throw noZip();
    const path = new TextDecoder().decode(archive.subarray(at + DIRECTORY_BYTES, nameEnd));
    const method = view.getUint16(at + 10, true);
    if ((view.getUint16(at + 8, true) & ENCRYPTED) !== 0) throw badFile(path, 'it is encrypted');
    if (method !== 0 && method !== 8) throw badFile(path, 'it is packed in a way that is not read');
    const packed = view.getUint32(at + 20, true);
    const size = view.getUint32(at + 24, true);
    entries.push({ path, packed, size, method, offset: view.getUint32(at + 42, true) });
    at = next;
  }
  checkOverlap(entries, archive.length);
  return entries;
}

/** Offset of the record that ends an archive; only a comment may follow it. */
function findEnd(view: DataView): number {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= Math.max(0, last - MAX_COMMENT); at--) {
    if (view.getUint32(at, true) !== END) continue;
    if (view.getUint16(at + 20, true) === last - at) return at;
  }
  throw noZip();
}

/** Entries that share bytes are how a small archive becomes a huge one. */
function checkOverlap(entries: readonly ZipEntry[], bytes: number): void {
  let free = 0;
  for (const { path, offset, packed } of [...entries].sort((a, b) => a.offset - b.offset)) {
    if (offset < free) throw badFile(path, 'it shares bytes with another file');
    free = offset + LOCAL_BYTES + packed;
    if (free > bytes)
      throw badFile(path, `it claims to hold ${packed} bytes: the archive is cut off`);
  }
}

/**
 * The contents of an entry.
 * @throws PlaygroundError `format` when it does not hold exactly the bytes that it declares
 */
export function readEntry(archive: Uint8Array, entry: ZipEntry): Uint8Array {
  const { path, packed, size, method, offset } = entry;
  const view = viewOf(archive);
  if (view.getUint32(offset, true) !== LOCAL) throw noZip();
  const start =
    offset + LOCAL_BYTES + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  if (start + packed > archive.length) throw noZip();
  const content = archive.subarray(start, start + packed);
  if (method === 8) return inflate(content, size, path);
  if (packed !== size) throw badFile(path, `it has ${packed} bytes and declares ${size}`);
  return content.slice();
}

function inflate(packed: Uint8Array, size: number, path: string): Uint8Array {
  const out = new Uint8Array(size);
  let count = 0;
  const inflater = new Inflate((part) => {
    if (count + part.length > size)
      throw badFile(path, `it holds more than the ${size} bytes it declares`);
    out.set(part, count);
    count += part.length;
  });
  try {
    for (let at = 0; at < packed.length; at += PORTION) {
      inflater.push(packed.subarray(at, at + PORTION), at + PORTION >= packed.length);
    }
  } catch (error) {
    if (error instanceof PlaygroundError) throw error;
    throw badFile(path, 'its packed bytes are damaged');
  }
  if (count !== size) throw badFile(path, `it holds ${count} bytes and declares ${size}`);
  return out;
}
