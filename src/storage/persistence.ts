/**
 * Asks the browser never to clear what is stored here by itself. Page only (workers cannot ask), at
 * the first real work, since some browsers ask the person. Returns whether it was granted.
 */
export async function askForPersistence(): Promise<boolean> {
  if (await navigator.storage.persisted()) return true;
  return navigator.storage.persist();
}
