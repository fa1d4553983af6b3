/**
 * The files that ship with the page (base models, demonstrations): from the server that the page came
 * from or, in the one-file edition, from the page itself.
 */
export type OwnFiles = ReadonlyMap<string, Blob>;

let embedded: OwnFiles | null = null;

/** From now on `ownFile` reads these and asks no server; null: the other way round. */
export function embedOwnFiles(files: OwnFiles | null): void {
  embedded = files;
}

/**
 * @param path as below public/, e.g. 'models/tiny/config.json'
 * @returns as `fetch` does; status 404 for a file that this edition does not have
 */
export async function ownFile(baseUrl: string, path: string): Promise<Response> {
  if (embedded === null) return fetch(new URL(path, baseUrl));
  const file = embedded.get(path);
  return file === undefined ? new Response(null, { status: 404 }) : new Response(file);
}
