import type { ImportFile } from '../../src/formats/hugging-face/import-files';

const urls = import.meta.glob<string>('../golden/hugging-face-import/*/*', {
  query: '?url',
  import: 'default',
  eager: true,
});

/** The files of a folder of tests/golden/hugging-face-import. */
export async function modelFolder(name: string): Promise<ImportFile[]> {
  const paths = Object.keys(urls).filter((path) => path.includes(`/${name}/`));
  return Promise.all(
    paths.map(async (path) => ({ path, blob: await (await fetch(urls[path]!)).blob() })),
  );
}
