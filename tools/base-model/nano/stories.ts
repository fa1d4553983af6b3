/**
 * Short stories: the beats of an arc, then a last sentence that carries the ending, happy, sad or
 * open.
 */
import { ARCS, type ArcName, type Ending, type StorySlots } from './arcs';
import { capital, type Draw } from '../draw';
import { PLAIN, type Passage } from '../document';
import { ANIMALS, CATS, OTHER_ANIMALS, PEOPLE, PLACES, THINGS } from './world';

const lastWords = (draw: Draw, { who, friend }: StorySlots, ending: Ending): string => {
  const both = `${who.name} and ${friend.name}`;
  if (ending === 'happy') {
    return draw.pick([
      `${who.name} was so happy.`,
      `${both} laughed and laughed.`,
      `${both} danced all night.`,
      `${who.name} smiled at the sea.`,
      `Everyone in Saltby cheered.`,
      `${friend.name} hugged ${who.name}.`,
      `They were happy, and there was cake.`,
      `${capital(who.he)} smiled all the way home.`,
    ]);
  }
  if (ending === 'sad') {
    return draw.pick([
      `${who.name} was very sad.`,
      `${capital(who.he)} cried in the rain.`,
      `${capital(who.he)} went home alone.`,
      `${who.name} sat alone by the sea.`,
      `${friend.name} cried too.`,
      `It was a sad day in Saltby.`,
      `There were tears in the soup.`,
      `${capital(who.he)} was lonely after that.`,
    ]);
  }
  return draw.pick([
    `Nobody knows why.`,
    `Only the moon saw it.`,
    `${who.name} will try again in the morning.`,
    `That is all we know.`,
    `The sea did not say a word.`,
    `Then the bell rang.`,
    `${friend.name} has a plan.`,
    `And the rain went on and on.`,
  ]);
};

const ARC_NAMES = Object.keys(ARCS) as ArcName[];
/** Arcs in which the animal matters: only these have it as their topic. */
const ANIMAL_ARCS: ReadonlySet<ArcName> = new Set(['thief', 'stray']);

export function drawSlots(draw: Draw, fixed: Partial<StorySlots> = {}): StorySlots {
  const who = fixed.who ?? draw.pick(PEOPLE);
  return {
    who,
    friend: fixed.friend ?? draw.other(PEOPLE, who),
    thing: fixed.thing ?? draw.pick(THINGS).name,
    place: fixed.place ?? draw.pick(PLACES),
    animal: fixed.animal ?? draw.pick(draw.chance(0.45) ? CATS : OTHER_ANIMALS),
  };
}

/** A story of two to five sentences. `ending` and `arc` are drawn when not given. */
export function story(
  draw: Draw,
  slots: StorySlots = drawSlots(draw),
  ending: Ending = draw.weighted({ happy: 36, sad: 36, open: 28 }),
  arc: ArcName = draw.pick(ARC_NAMES),
): Passage {
  const sentences = [...ARCS[arc](draw, slots, ending), lastWords(draw, slots, ending)];
  const text = sentences.join(' ');
  return {
    text,
    family: `story: ${arc}`,
    attributes: {
      ...PLAIN,
      ending,
      topic: ANIMAL_ARCS.has(arc) ? slots.animal.kind : mentioned(text),
    },
    combination: `${arc} ${slots.who.name} ${slots.thing}`,
  };
}

/** The first animal that a text names, else `none`. */
export function mentioned(text: string): string {
  const kinds = [...new Set(ANIMALS.map(({ kind }) => kind))];
  return (
    kinds.find((kind) => new RegExp(`\\b${kind}\\b`).test(text)) ??
    (/\bkitten\b/.test(text) ? 'cat' : 'none')
  );
}
