/** Stories: the steps of an arc, with whatever a story may have between them, and a last sentence. */
import type { Draw } from '../draw';
import { partOf, readSections, type Sections } from './grammar';
import type { Scene } from './scene';

export type Ending = 'happy' | 'sad' | 'open';

export const ARCS: Sections = new Map([
  ...readSections('arcs-one.txt'),
  ...readSections('arcs-two.txt'),
  ...readSections('arcs-three.txt'),
]);
export const ARC_NAMES: readonly string[] = [...ARCS.keys()];
/** Spanish has a sixth of the texts: with every plot, a small model would see most of its words too seldom. */
const SPANISH_ARCS: readonly string[] = ['bottle', 'feast', 'fish', 'letter', 'promise', 'wish'];
export const STORY_PARTS = readSections('story-parts.txt');

const ENDINGS = { happy: 47, sad: 28, open: 25 };
/** Optional steps: how often each comes in a story of each length. */
const OPTIONAL = {
  short: { setting: 0.2, intro: 0, talk: 0.3, try: 0.25, aside: 0 },
  middle: { setting: 0.3, intro: 0.2, talk: 0.45, try: 0.7, aside: 0.1 },
  long: { setting: 0.55, intro: 0.45, talk: 0.6, try: 1, aside: 0.3 },
};
const CAT_ASIDE = 0.26;

export interface Story {
  text: string;
  arc: string;
  ending: Ending;
}

const drawEnding = (draw: Draw): Ending => draw.weighted(ENDINGS);

/** A story of three to eight sentences; `ending` and `arc` are drawn when not given. */
export function tell(
  scene: Scene,
  ending: Ending = drawEnding(scene.draw),
  arc: string = scene.draw.pick(scene.language === 'es' ? SPANISH_ARCS : ARC_NAMES),
): Story {
  const { draw } = scene;
  const often = OPTIONAL[draw.weighted({ short: 35, middle: 48, long: 17 })];
  const shared = (part: string): string => scene.say(partOf(STORY_PARTS, part));
  const own = (part: string): string => scene.say(partOf(ARCS, arc, part));
  const sentences: string[] = [];
  // An answer of the base model has 96 tokens, about 320 characters.
  const room = (characters: number): boolean => sentences.join(' ').length < characters;
  if (draw.chance(often.setting)) sentences.push(shared('setting'));
  sentences.push(own('start'));
  if (draw.chance(often.intro) && room(90)) sentences.push(shared('intro'));
  sentences.push(own('then'));
  if (draw.chance(often.talk) && room(130)) sentences.push(shared('talk'));
  if (draw.chance(often.try) && room(150)) sentences.push(own('try'));
  // A story about another animal has no room for a cat.
  const others = [...scene.cast.animals.values()].some(({ kind }) => kind !== 'cat');
  if (!others && draw.chance(CAT_ASIDE) && room(165)) sentences.push(shared('cat aside'));
  else if (draw.chance(often.aside) && room(160)) sentences.push(shared('aside'));
  sentences.push(own(ending));
  sentences.push(scene.conclude(partOf(STORY_PARTS, `last ${ending}`)));
  return { text: sentences.join(' '), arc, ending };
}
