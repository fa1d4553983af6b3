/** How much room there is, and whether the browser may clear it on its own. */

export interface StorageRoom {
  /** Bytes used by this site; null where the browser does not tell. */
  used: number | null;
  /** Bytes this site may use in all. */
  quota: number | null;
  /** True: only the person can clear it. False: the browser may, when the disk is full. */
  persisted: boolean;
}

/** Page or worker. */
export async function storageRoom(): Promise<StorageRoom> {
  const { usage, quota } = await navigator.storage.estimate();
  return {
    used: usage ?? null,
    quota: quota ?? null,
    persisted: await navigator.storage.persisted(),
  };
}
