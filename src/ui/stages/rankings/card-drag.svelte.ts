/**
 * Dragging a card on the ranking board with mouse, pen or finger. Where it would land depends on
 * the height of the pointer alone: the outer quarters of a card mean beside it, the middle a tie.
 */

/** Where a dragged card would land. */
export type DropTarget =
  { kind: 'before' | 'after' | 'onto'; card: number } | { kind: 'last' } | null;

/** Pointer travel in CSS pixels before a press becomes a drag, so that a tap stays a tap. */
const THRESHOLD = 6;
/** Share of a card's height, at each end, that means "beside it". */
const EDGE = 0.27;
/** Distance from the edge of the window, in CSS pixels, where dragging scrolls the page. */
const SCROLL_ZONE = 70;

export interface DragSurface {
  /** Elements of the cards, by card. */
  cards: ReadonlyMap<number, HTMLElement>;
  /** The line between ranked and unranked cards. */
  line: () => HTMLElement | undefined;
  drop: (card: number, target: DropTarget) => void;
}

export class CardDrag {
  /** The card that is being dragged; null before the threshold. */
  card = $state<number | null>(null);
  /** Vertical travel in CSS pixels, scrolling included. */
  offset = $state(0);
  target = $state.raw<DropTarget>(null);
  /** True from the end of a drag until the next press: the click that follows is no choice. */
  justDropped = false;

  readonly #surface: DragSurface;
  #pressed: { card: number; pointer: number; y: number; scroll: number } | null = null;

  constructor(surface: DragSurface) {
    this.#surface = surface;
  }

  /** A finger drags by the handle only, so that it can scroll the page everywhere else. */
  press(event: PointerEvent, card: number): void {
    this.justDropped = false;
    if (event.button !== 0 || !(event.target instanceof Element)) return;
    if (event.target.closest('[data-no-drag]')) return;
    if (event.pointerType !== 'mouse' && !event.target.closest('[data-handle]')) return;
    this.#pressed = { card, pointer: event.pointerId, y: event.clientY, scroll: window.scrollY };
  }

  moved(event: PointerEvent): void {
    const pressed = this.#pressed;
    if (pressed === null || event.pointerId !== pressed.pointer) return;
    const travel = event.clientY - pressed.y + window.scrollY - pressed.scroll;
    if (this.card === null) {
      if (Math.abs(travel) < THRESHOLD) return;
      this.card = pressed.card;
      // Captured only now: a capture at the press would send the click of a tap elsewhere.
      this.#surface.cards.get(pressed.card)?.setPointerCapture(event.pointerId);
    }
    this.offset = travel;
    this.target = this.#targetAt(event.clientY, pressed.card);
    if (event.clientY < SCROLL_ZONE) window.scrollBy(0, -14);
    else if (event.clientY > window.innerHeight - SCROLL_ZONE) window.scrollBy(0, 14);
  }

  released(): void {
    const { card, target } = this;
    this.cancel();
    if (card === null) return;
    this.justDropped = true;
    this.#surface.drop(card, target);
  }

  cancel(): void {
    this.#pressed = null;
    this.card = null;
    this.offset = 0;
    this.target = null;
  }

  #targetAt(y: number, dragged: number): DropTarget {
    const line = this.#surface.line()?.getBoundingClientRect();
    if (line && y >= line.top && y <= line.bottom) return { kind: 'last' };
    const others = [...this.#surface.cards]
      .filter(([card]) => card !== dragged)
      // The card is the last child: the line above it may stand in the same list item.
      .map(([card, element]) => ({
        card,
        box: (element.lastElementChild ?? element).getBoundingClientRect(),
      }))
      .sort((a, b) => a.box.top - b.box.top);
    for (const { card, box } of others) {
      if (y > box.bottom) continue;
      const share = (y - box.top) / box.height;
      return { kind: share < EDGE ? 'before' : share > 1 - EDGE ? 'after' : 'onto', card };
    }
    const bottom = others.at(-1);
    return bottom ? { kind: 'after', card: bottom.card } : null;
  }
}
