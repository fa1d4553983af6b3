/** Record ids: 128 random bits as 32 hexadecimal digits. Ids only name; order is always `seq`. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The next free `seq` of a list. */
export function nextSeq(records: readonly { seq: number }[]): number {
  return records.reduce((next, { seq }) => Math.max(next, seq + 1), 0);
}
