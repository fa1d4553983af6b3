/** Files to a zip archive that is made while it is read: only the piece in hand is in memory. */
import { Zip, ZipDeflate, ZipPassThrough } from 'fflate';
import { PlaygroundError } from '../../core/errors';

export interface ExportedFile {
  path: string;
  /** Length, known before the contents are made. */
  bytes: number;
  /** The contents in order, in fresh arrays. To be called once: it may use up what it reads. */
  pieces: () => Iterable<Uint8Array<ArrayBuffer>>;
}

/** zip stores local time; a Date built from local parts reads the same everywhere. */
const NO_CLOCK = new Date(2000, 0, 1);
/** Without the zip64 extension, sizes and offsets have 32 bits; headers need a little of that. */
const MAX_BYTES = 2 ** 32 - 2 ** 20;

/**
 * Packs files in their order, one piece for each read. Equal files give equal bytes.
 * @throws PlaygroundError `format` at once when the files are too large for a zip archive
 */
export function zipStream(files: readonly ExportedFile[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  if (total > MAX_BYTES) {
    throw new PlaygroundError({
      code: 'format',
      field: 'zip',
      message: `The files have ${total} bytes together; a zip archive holds at most ${MAX_BYTES}.`,
      remedy: 'Export a smaller model.',
    });
  }
  const ready: Uint8Array<ArrayBuffer>[] = [];
  const steps = pack(files, (part) => ready.push(part));
  return new ReadableStream(
    {
      pull(controller) {
        let done = false;
        while (ready.length === 0 && !done) done = steps.next().done === true;
        for (const part of ready.splice(0)) controller.enqueue(part);
        if (done) controller.close();
      },
    },
    { highWaterMark: 0 }, // nothing is made before it is asked for
  );
}

/** Yields after each piece. */
function* pack(
  files: readonly ExportedFile[],
  emit: (part: Uint8Array<ArrayBuffer>) => void,
): Generator<undefined, void> {
  const zip = new Zip((error, part) => {
    if (error !== null) throw error;
    emit(part);
  });
  for (const { path, pieces } of files) {
    // Weights hardly compress (f32 noise), and not trying saves seconds.
    const stored = path.endsWith('.safetensors');
    const entry = stored ? new ZipPassThrough(path) : new ZipDeflate(path, { level: 6 });
    entry.mtime = NO_CLOCK;
    zip.add(entry);
    for (const piece of pieces()) {
      entry.push(piece, false);
      yield;
    }
    entry.push(new Uint8Array(), true);
    yield;
  }
  zip.end();
}
