/** Whether the browser may clear what is stored here by itself. Page only: workers cannot ask. */

/** Null where the browser does not say. */
export async function isPersisted(): Promise<boolean | null> {
  try {
    return await navigator.storage.persisted();
  } catch {
    return null;
  }
}

/** Asks for it, which some browsers ask the person; whether it was granted. Null as above. */
export async function askForPersistence(): Promise<boolean | null> {
  try {
    return (await navigator.storage.persisted()) || (await navigator.storage.persist());
  } catch {
    return null;
  }
}
