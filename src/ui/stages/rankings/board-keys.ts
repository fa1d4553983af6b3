/** The keys of the ranking board. One place for what a key means; the board decides what it does. */

export type BoardCommand =
  | { kind: 'rank'; rank: number }
  | { kind: 'move' | 'focus'; direction: 'up' | 'down' }
  | { kind: 'tie' | 'unrank' | 'submit' | 'all-bad' | 'skip' | 'undo' };

type Simple = Exclude<BoardCommand['kind'], 'rank' | 'move' | 'focus'>;

const SIMPLE: Record<string, Simple> = {
  '=': 'tie',
  '0': 'unrank',
  Backspace: 'unrank',
  Delete: 'unrank',
  Enter: 'submit',
  x: 'all-bad',
  s: 'skip',
  z: 'undo',
};

/** What a key asks of the board, or null when it is none of the board's keys. */
export function boardKey(
  event: Pick<KeyboardEvent, 'key' | 'altKey' | 'ctrlKey' | 'metaKey' | 'isComposing'>,
): BoardCommand | null {
  if (event.isComposing) return null;
  const { key } = event;
  const held = event.altKey || event.ctrlKey || event.metaKey;
  if (key === 'ArrowUp' || key === 'ArrowDown') {
    const direction = key === 'ArrowUp' ? 'up' : 'down';
    return { kind: held ? 'move' : 'focus', direction };
  }
  if (held) return null;
  if (/^[1-9]$/.test(key)) return { kind: 'rank', rank: Number(key) };
  const name = key.length === 1 ? key.toLowerCase() : key;
  const kind = Object.hasOwn(SIMPLE, name) ? SIMPLE[name] : undefined;
  return kind === undefined ? null : { kind };
}
