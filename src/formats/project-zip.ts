/**
 * The archive layer of a project file: only known paths, sizes checked before anything is inflated,
 * a checksum for every file. What the files mean is the business of project-file.ts.
 */
import { Zip, ZipDeflate, ZipPassThrough } from 'fflate';
import * as v from 'valibot';
import { badFile, decodeRecord } from './project-json';
import { fileManifestSchema, type FileManifest } from './project-schemas';
import { readDirectory, readEntry, type ZipEntry } from './zip-reader';

const MANIFEST = 'manifest.json';
/** No absolute paths, no `..`, nothing unknown: exactly what a writer puts there. */
const KNOWN_PATH =
  /^(?:manifest\.json|project\.json|PREFERENCES\.md|preferences\.json|(?:demonstrations|prompts|sets|rankings|runs|inputs)\.jsonl|(?:metrics|samples)\/[\w-]{1,128}\.jsonl|checkpoints\/[\w-]{1,128}\.(?:json|safetensors))$/;
/** Folders that other zip programs add. */
const FOLDER = /^(?:metrics|samples|checkpoints)\/$/;
const MAX_INFLATED_BYTES = 2 ** 31 - 1;
/**
 * Records full of random ids and numbers hardly shrink to a tenth; weights stay as large as they are.
 * Deflate could make 1032 bytes of one: such an archive is a bomb.
 */
const MAX_RATIO = 100;
/** In a small archive, one text that every record repeats may shrink further. */
const ALLOWANCE = 32 * 2 ** 20;
const MAX_ENTRIES = 20_000;

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
  const entries = checkedEntries(archive);
  const contentOf = (path: string): Uint8Array => readEntry(archive, entries.get(path)!);
  if (!entries.has(MANIFEST)) throw badFile(MANIFEST, 'it is missing: not a project file');
  const manifest = readManifest(contentOf(MANIFEST));
  entries.delete(MANIFEST);

  const files = new Map<string, Uint8Array>();
  const tensorPaths = new Set<string>();
  for (const { path, bytes, sha256: expected } of manifest.files) {
    if (!entries.has(path)) throw badFile(path, 'the file is missing');
    if (files.has(path) || tensorPaths.has(path))
      throw badFile(path, 'the manifest lists it twice');
    const content = contentOf(path);
    if (content.length !== bytes) {
      throw badFile(path, `it has ${content.length} bytes, the manifest says ${bytes}`);
    }
    if ((await sha256(content)) !== expected) throw badFile(path, 'its checksum does not match');
    if (isTensors(path)) tensorPaths.add(path);
    else files.set(path, content);
  }
  for (const path of entries.keys()) {
    if (!files.has(path) && !tensorPaths.has(path)) {
      throw badFile(path, 'the manifest does not list it');
    }
  }
  return { files, tensorPaths, tensors: (path) => Promise.resolve(contentOf(path)) };
}

/** All files by path, checked before anything is inflated. */
function checkedEntries(archive: Uint8Array): Map<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>();
  const most = Math.min(MAX_INFLATED_BYTES, ALLOWANCE + archive.length * MAX_RATIO);
  let inflated = 0;
  for (const entry of readDirectory(archive, MAX_ENTRIES)) {
    const { path, size } = entry;
    if (FOLDER.test(path) && size === 0) continue;
    if (!KNOWN_PATH.test(path)) throw badFile(path, 'a project file has no such path');
    if (entries.has(path)) throw badFile(path, 'the archive holds it twice');
    entries.set(path, entry);
    inflated += size;
    if (inflated > most) throw badFile(path, `it claims to hold ${size} bytes`);
  }
  return entries;
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
