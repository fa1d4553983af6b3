/** A project's name as the start of a file name: letters and digits of any script, joined by `-`. */
export const fileStem = (name: string): string =>
  name.replace(/[^\p{L}\p{N}]+/gu, '-').toLowerCase();

/** Offers `blob` as a download called `name`. */
export function saveFile(name: string, blob: Blob): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken the blob once the click's task is over.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
