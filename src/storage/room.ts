/** What the browser has left for this page: asked before each large write, shown to people. */
import { PlaygroundError } from '../core/errors';

/** Left free by large writes, so that texts and rankings can always be stored. */
const RESERVED_BYTES = 4 * 2 ** 20;

export interface Room {
  usedBytes: number;
  /** Of all, what is used included. */
  totalBytes: number;
}

/** Null where the browser does not say. */
export async function askRoom(): Promise<Room | null> {
  try {
    const { usage, quota } = await navigator.storage.estimate();
    if (usage === undefined || quota === undefined) return null;
    return { usedBytes: usage, totalBytes: quota };
  } catch {
    return null;
  }
}

/**
 * To be asked before a large write begins, so that it fails whole and at once.
 * @param what as it stands in a sentence: 'the checkpoint'
 * @throws PlaygroundError `storage`
 */
export async function requireRoom(bytes: number, what: string): Promise<void> {
  if (bytes === 0) return;
  const room = await askRoom();
  if (room === null) return;
  const free = Math.max(0, room.totalBytes - room.usedBytes - RESERVED_BYTES);
  if (bytes <= free) return;
  const size = (count: number): string => `${(count / 1e6).toFixed(1)} MB`;
  throw noRoom(what, ` It needs ${size(bytes)}; ${size(free)} are left for it.`);
}

/** @param detail further sentences, each after a space */
export const noRoom = (what: string, detail = ''): PlaygroundError =>
  new PlaygroundError({
    code: 'storage',
    field: 'quota',
    message: `There is no room left to store ${what}.${detail} Everything stored before is untouched.`,
    remedy:
      'Export this project, then open Projects and delete old checkpoints or projects, or free disk space.',
  });
