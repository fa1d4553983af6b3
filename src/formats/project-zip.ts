/**
 * The archive layer of a project file: only known paths, sizes checked before anything is inflated,
 * a checksum for every file. What the files mean is the business of project-file.ts.
 */
import { unzipSync, zipSync, type Zippable } from 'fflate';
import * as v from 'valibot';
import { PlaygroundError } from '../core/errors';
import { badFile, decodeRecord } from './project-json';
import { fileManifestSchema, type FileManifest } from './project-schemas';

const MANIFEST = 'manifest.json';
/** No absolute paths, no `..`, nothing unknown: exactly what a writer puts there. */
const KNOWN_PATH =
  /^(?:manifest\.json|project\.json|(?:demonstrations|prompts|sets|rankings|runs)\.jsonl|metrics\/[\w-]{1,128}\.jsonl|checkpoints\/[\w-]{1,128}\.(?:json|safetensors))$/;
/** Folders that other zip programs add. */
const FOLDER = /^(?:metrics|checkpoints)\/$/;
const MAX_INFLATED_BYTES = 2 ** 31 - 1;
const MAX_ENTRIES = 100_000;
/** Deflate cannot do better than 1032 : 1; a larger claim is a lie (or a bomb). */
const MAX_RATIO = 1032;

/** Packs files with a manifest. Equal contents give equal bytes: the archive has no clock in it. */
export async function packFiles(
  files: ReadonlyMap<string, Uint8Array>,
): Promise<Uint8Array<ArrayBuffer>> {
  const manifest: FileManifest = { format: 'rlhf-playground', version: 1, files: [] };
  const zippable: Zippable = {};
  for (const [path, bytes] of files) {
    manifest.files.push({ path, bytes: bytes.length, sha256: await sha256(bytes) });
    // Weights hardly compress (f32 noise), and not trying saves seconds.
    zippable[path] = [bytes, { level: path.endsWith('.safetensors') ? 0 : 6 }];
  }
  const json = new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);
  // zip stores local time; a Date built from local parts reads the same everywhere.
  return zipSync(
    { [MANIFEST]: [json, { level: 6 }], ...zippable },
    { mtime: new Date(2000, 0, 1) },
  );
}

/**
 * All files of the archive but its manifest, each checked against it.
 * @throws PlaygroundError `format` naming the path
 */
export async function unpackFiles(archive: Uint8Array): Promise<Map<string, Uint8Array>> {
  const entries = inflate(archive);
  const manifestBytes = entries.get(MANIFEST);
  if (manifestBytes === undefined) throw badFile(MANIFEST, 'it is missing: not a project file');
  const manifest = readManifest(manifestBytes);

  const files = new Map<string, Uint8Array>();
  for (const { path, bytes, sha256: expected } of manifest.files) {
    const content = entries.get(path);
    if (content === undefined || path === MANIFEST) throw badFile(path, 'the file is missing');
    if (files.has(path)) throw badFile(path, 'the manifest lists it twice');
    if (content.length !== bytes) {
      throw badFile(path, `it has ${content.length} bytes, the manifest says ${bytes}`);
    }
    if ((await sha256(content)) !== expected) throw badFile(path, 'its checksum does not match');
    files.set(path, content);
  }
  for (const path of entries.keys()) {
    if (path !== MANIFEST && !files.has(path)) throw badFile(path, 'the manifest does not list it');
  }
  return files;
}

function inflate(archive: Uint8Array): Map<string, Uint8Array> {
  const seen = new Set<string>();
  let inflated = 0;
  let packed = 0;
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(archive, {
      // Called with the declared sizes before each entry is inflated; fflate never writes more than
      // the declared size, and the checksum finds what was cut off.
      filter: ({ name, size, originalSize }) => {
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
        return true;
      },
    });
  } catch (error) {
    if (error instanceof PlaygroundError) throw error;
    throw badFile('archive', 'it is not a zip file, or it is cut off');
  }
  return new Map(Object.entries(entries));
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
