/**
 * The one-file edition: an HTML file that holds worker and base models as gzip in base64, in `<script
 * type="text/plain" data-file="PATH">` elements. It runs from a memory stick, without any server.
 */
import { PlaygroundError } from '../core/errors';
import { embedOwnFiles, type OwnFiles } from '../formats/own-files';
import { plainMap } from './plain-collections';

/** Under this name the file holds the worker's code; tools/single writes it. */
const WORKER_FILE = 'train.worker.js';

/** The files in this page, by path; null in the ordinary edition. Their text leaves the document. */
export async function takeOwnFiles(root: ParentNode): Promise<OwnFiles | null> {
  const elements = [...root.querySelectorAll<HTMLScriptElement>('script[data-file]')];
  if (elements.length === 0) return null;
  const files = plainMap(
    await Promise.all(
      elements.map(async (element) => {
        const { file = '', type = '' } = element.dataset;
        const bytes = await inflated(bytesOf(element.text));
        return [file, new Blob([bytes], { type })] as const;
      }),
    ),
  );
  for (const element of elements) element.remove();
  embedOwnFiles(files);
  return files;
}

const inflated = (gzip: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> =>
  new Response(
    new Blob([gzip]).stream().pipeThrough(new DecompressionStream('gzip')),
  ).arrayBuffer();

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const characters = atob(base64);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

/** @throws PlaygroundError `engine` when the browser refuses a worker in a page from a file */
export function startEmbeddedWorker(files: OwnFiles): Worker {
  const code = files.get(WORKER_FILE);
  if (code === undefined) throw new Error(`This page has no ${WORKER_FILE} in it.`);
  try {
    return new Worker(URL.createObjectURL(code), { name: 'training' });
  } catch (thrown) {
    throw new PlaygroundError({
      code: 'engine',
      message: `This browser starts no worker in a page that was opened as a file: ${String(thrown)}`,
      remedy: 'Open the file in Chrome or Edge, or serve it from any web server.',
    });
  }
}
