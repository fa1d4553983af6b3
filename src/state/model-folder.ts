/** A chosen or dropped folder as the importer takes it. */
export interface FolderFile {
  /** Inside the folder: `config.json`, `weights/model-00001-of-00002.safetensors`. */
  path: string;
  blob: Blob;
}

/**
 * What a model is called, and its files. Browsers put the folder's own name before each path
 * (`webkitRelativePath`); files that come without a folder are called by `otherwise`.
 */
export function folderOf(
  files: readonly File[],
  otherwise = 'imported model',
): [name: string, files: FolderFile[]] {
  const paths = files.map((file) => file.webkitRelativePath || file.name);
  const folder = /^([^/]+)\//.exec(paths[0] ?? '')?.[1];
  const inside = folder !== undefined && paths.every((path) => path.startsWith(`${folder}/`));
  const cut = inside ? folder.length + 1 : 0;
  return [
    inside ? folder : otherwise,
    files.map((blob, i) => ({ path: paths[i]!.slice(cut), blob })),
  ];
}
