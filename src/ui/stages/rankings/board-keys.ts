/** The keys of the ranking boards. One place for what a key means; the board decides what it does. */

/** What both boards can do, by key or by button. */
export type BoardAction =
  'all-bad' | 'skip' | 'unsure' | 'undo' | 'later' | 'comment' | 'rate' | 'show' | 'flag';

export type ListCommand =
  | { kind: 'rank'; rank: number }
  | { kind: 'move' | 'focus'; direction: 'up' | 'down' }
  | { kind: 'tie' | 'unrank' | 'submit' | BoardAction };

export type PairCommand = { kind: 'first' | 'second' | 'tie' | BoardAction };

type Key = Pick<KeyboardEvent, 'key' | 'altKey' | 'ctrlKey' | 'metaKey' | 'isComposing'>;

const ACTIONS: Record<string, BoardAction> = {
  x: 'all-bad',
  s: 'skip',
  u: 'unsure',
  z: 'undo',
  n: 'later',
  c: 'comment',
  r: 'rate',
  v: 'show',
  f: 'flag',
};

const LIST: Record<string, 'tie' | 'unrank' | 'submit' | BoardAction> = {
  ...ACTIONS,
  '=': 'tie',
  '0': 'unrank',
  Backspace: 'unrank',
  Delete: 'unrank',
  Enter: 'submit',
};

const PAIR: Record<string, PairCommand['kind']> = {
  ...ACTIONS,
  a: 'first',
  '1': 'first',
  ArrowLeft: 'first',
  b: 'second',
  '2': 'second',
  ArrowRight: 'second',
  '=': 'tie',
};

function lookUp<T>(table: Record<string, T>, key: string): T | undefined {
  const name = key.length === 1 ? key.toLowerCase() : key;
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** What a key asks of the list of completions, or null when it is none of its keys. */
export function listKey(event: Key): ListCommand | null {
  if (event.isComposing) return null;
  const { key } = event;
  const held = event.altKey || event.ctrlKey || event.metaKey;
  if (key === 'ArrowUp' || key === 'ArrowDown') {
    const direction = key === 'ArrowUp' ? 'up' : 'down';
    return { kind: held ? 'move' : 'focus', direction };
  }
  if (held) return null;
  if (/^[1-9]$/.test(key)) return { kind: 'rank', rank: Number(key) };
  const kind = lookUp(LIST, key);
  return kind === undefined ? null : { kind };
}

/** What a key asks of two completions side by side. */
export function pairKey(event: Key): PairCommand | null {
  if (event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return null;
  const kind = lookUp(PAIR, event.key);
  return kind === undefined ? null : { kind };
}

/**
 * Where a key was pressed: on a card, on nothing in particular (or a button beside the cards, which
 * keeps Enter and Space for itself), or somewhere that keeps all its keys.
 */
export function keyPlace(event: KeyboardEvent): 'card' | 'around' | null {
  const { target } = event;
  if (event.defaultPrevented || !(target instanceof Element)) return null;
  if (target.closest('[data-card]') !== null) return 'card';
  if (target === document.body) return 'around';
  const button = target.closest('[data-board] button') !== null;
  return button && event.key !== 'Enter' && event.key !== ' ' ? 'around' : null;
}
