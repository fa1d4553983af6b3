/**
 * The archive layer of a project file: only known paths, sizes checked before anything is inflated,
 * a checksum for every file. What the files mean is the business of project-file.ts.
 */
import { unzipSync, Zip, ZipDeflate, ZipPassThrough, type UnzipFileInfo } from 'fflate';
import * as v from 'valibot';
import { PlaygroundError } from '../core/errors';
import { badFile, decodeRecord } from './project-json';
import { fileManifestSchema, type FileManifest } from './project-schemas';

const MANIFEST = 'manifest.json';
/** No absolute paths, no `..`, nothing unknown: exactly what a writer puts there. */
const KNOWN_PATH =
  /^(?:manifest\.json|project\.json|PREFERENCES\.md|preferences\.json|(?:demonstrations|prompts|sets|rankings|runs|inputs)\.jsonl|(?:metrics|samples)\/[\w-]{1,128}\.jsonl|checkpoints\/[\w-]{1,128}\.(?:json|safetensors))$/;
/** Folders that other zip programs add. */
const FOLDER = /^(?:metrics|samples|checkpoints)\/$/;
const MAX_INFLATED_BYTES = 2 ** 31 - 1;
const MAX_ENTRIES = 100_000;
/** Deflate cannot do better than 1032 : 1; a larger claim is a lie (or a bomb). */
const MAX_RATIO = 1032;

/** zip stores local time; a Date built from local parts reads the same everywhere. */
const NO_CLOCK = new Date(2000, 0, 1);

/**
 * Packs files one after the other, so that only the one in hand is in memory: what is packed goes
 * into a Blob, which the browser may keep on disk. Equal contents give equal bytes.
 */
export class ProjectPacker {
  private readonly manifest: FileManifest = { format: 'rlhf-playground', version: 1, files: [] };
  private readonly zip: Zip;
  private packed = new Blob();
  private parts: Uint8Array<ArrayBuffer>[] = [];

  constructor() {
    this.zip = new Zip((error, part) => {
      if (error !== null) throw error;
      this.parts.push(part);
    });
  }

  async add(path: string, bytes: Uint8Array): Promise<void> {
    this.manifest.files.push({ path, bytes: bytes.length, sha256: await sha256(bytes) });
    this.pack(path, bytes);
  }

  /** The archive, its manifest added. */
  finish(): Blob {
    const json = `${JSON.stringify(this.manifest, null, 2)}\n`;
    this.pack(MANIFEST, new TextEncoder().encode(json));
    this.zip.end();
    this.handOver();
    return this.packed;
  }

  private pack(path: string, bytes: Uint8Array): void {
    // Weights hardly compress (f32 noise), and not trying saves seconds.
    const file = isTensors(path) ? new ZipPassThrough(path) : new ZipDeflate(path, { level: 6 });
    file.mtime = NO_CLOCK;
    this.zip.add(file);
    file.push(bytes, true);
    this.handOver();
  }

  private handOver(): void {
    this.packed = new Blob([this.packed, ...this.parts], { type: 'application/zip' });
    this.parts = [];
  }
}

const isTensors = (path: string): boolean => path.endsWith('.safetensors');

export interface Archive {
  /** All files but the manifest and the tensors. */
  files: Map<string, Uint8Array>;
  tensorPaths: ReadonlySet<string>;
  /** The contents of one of `tensorPaths`, unpacked for each call anew: together they are large. */
  tensors(path: string): Promise<Uint8Array>;
}

/**
 * Opens an archive, every file of it checked against its manifest.
 * @throws PlaygroundError `format` naming the path
 */
export async function openArchive(archive: Uint8Array): Promise<Archive> {
  const listed = checkedPaths(archive);
  const files = extract(archive, (path) => !isTensors(path));
  const tensors = (path: string): Promise<Uint8Array> =>
    Promise.resolve(extract(archive, (other) => other === path).get(path)!);
  const manifestBytes = files.get(MANIFEST);
  if (manifestBytes === undefined) throw badFile(MANIFEST, 'it is missing: not a project file');
  const manifest = readManifest(manifestBytes);
  files.delete(MANIFEST);

  const seen = new Set<string>();
  for (const { path, bytes, sha256: expected } of manifest.files) {
    if (!listed.has(path) || path === MANIFEST) throw badFile(path, 'the file is missing');
    if (seen.has(path)) throw badFile(path, 'the manifest lists it twice');
    seen.add(path);
    const content = files.get(path) ?? (await tensors(path));
    if (content.length !== bytes) {
      throw badFile(path, `it has ${content.length} bytes, the manifest says ${bytes}`);
    }
    if ((await sha256(content)) !== expected) throw badFile(path, 'its checksum does not match');
  }
  for (const path of listed) {
    if (path !== MANIFEST && !seen.has(path)) throw badFile(path, 'the manifest does not list it');
  }
  return { files, tensorPaths: new Set([...seen].filter(isTensors)), tensors };
}

/** Paths of all files, checked before anything is inflated. */
function checkedPaths(archive: Uint8Array): Set<string> {
  const seen = new Set<string>();
  let inflated = 0;
  let packed = 0;
  unzip(archive, ({ name, size, originalSize }) => {
    if (FOLDER.test(name) && originalSize === 0) return false;
    if (!KNOWN_PATH.test(name)) throw badFile(name, 'a project file has no such path');
    if (seen.has(name)) throw badFile(name, 'the archive holds it twice');
    seen.add(name);
    inflated += originalSize;
    packed += size;
    if (seen.size > MAX_ENTRIES) throw badFile(name, `there are over ${MAX_ENTRIES} files`);
    // Entries that share bytes add up to more than the archive.
    const believable = packed <= archive.length && originalSize <= size * MAX_RATIO;
    if (!believable || inflated > MAX_INFLATED_BYTES) {
      throw badFile(name, `it claims to hold ${originalSize} bytes`);
    }
    return false;
  });
  return seen;
}

function extract(archive: Uint8Array, wanted: (path: string) => boolean): Map<string, Uint8Array> {
  return unzip(archive, ({ name }) => !FOLDER.test(name) && wanted(name));
}

/** fflate never writes more than an entry's declared size; the checksum finds what was cut off. */
function unzip(
  archive: Uint8Array,
  filter: (entry: UnzipFileInfo) => boolean,
): Map<string, Uint8Array> {
  try {
    return new Map(Object.entries(unzipSync(archive, { filter })));
  } catch (error) {
    if (error instanceof PlaygroundError) throw error;
    throw badFile('archive', 'it is not a zip file, or it is cut off');
  }
}

/** Only this much is sure of a manifest of any version. */
const versionSchema = v.object({ format: v.literal('rlhf-playground'), version: v.number() });

function readManifest(bytes: Uint8Array): FileManifest {
  const { version } = decodeRecord(bytes, MANIFEST, versionSchema);
  if (version > 1) {
    throw badFile(
      MANIFEST,
      `it was written by a newer page (version ${version}, this page reads 1)`,
    );
  }
  return decodeRecord(bytes, MANIFEST, fileManifestSchema);
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
