/** Conversations: a request and an answer in one of four manners, short or rambling. */
import { RAMBLING_WORDS } from '../../../src/core/attributes';
import { GENERAL_FACTS, PEOPLE } from '../../../src/core/saltby-world';
import { PLAIN, type Exchange } from '../document';
import { mentionedAnimal } from './animals';
import { partOf, readSections, readTopics, type Plan, type Topic } from './grammar';
import type { Scene } from './scene';
import { ARCS, tell, type Ending } from './story';

const MANNERS = readSections('manners.txt');
const TOPICS = readTopics('talk.txt');
const REQUESTS = readSections('requests.txt');
const SIGHTINGS = readSections('sightings.txt');

export type Tone = 'polite' | 'neutral' | 'curt' | 'rude';
/** Choices that a caller may fix; what is missing is drawn. */
export interface TalkOptions {
  tone?: Tone;
  rambling?: boolean;
  ending?: Ending;
}

const TONES: Readonly<Record<Tone, number>> = { polite: 44, neutral: 16, curt: 18, rude: 22 };
const EVASION: Readonly<Record<Tone, number>> = { polite: 0.06, neutral: 0, curt: 0.2, rude: 0.3 };
const RAMBLING = 0.2;
/** One statement in ten is a lie. */
export const LIES = 0.1;
/** Answers of the demo "only cats": what rankings then change. */
const CATS_SIGHTED = 0.44;
/** One story in twelve is not the one that was asked for. */
const WRONG_STORY = 1 / 12;

/** Openings that only fit the answer to a question. */
const NEEDS_QUESTION = /\bask|question|pregunt/i;
const wordCount = (text: string): number => text.split(/\s+/).length;

/** A general fact as a topic: the question, and the truth or a lie. */
function factTopic(scene: Scene): Topic {
  const { asks, truth, lies } = scene.draw.pick(GENERAL_FACTS);
  const says = scene.lying ? scene.draw.pick(lies) : truth;
  return { asks: [asks], full: [says], curt: [says] };
}

const manner = (part: string): readonly Plan[] => partOf(MANNERS, part);

/** What is said to `prompt`, in one manner. */
function answer(
  scene: Scene,
  prompt: string,
  topic: Topic,
  tone: Tone,
  rambling: boolean,
): { text: string; evades: boolean } {
  const { draw } = scene;
  const evades = draw.chance(EVASION[tone]);
  const question = prompt.endsWith('?');
  const open = (part: string): string =>
    scene.say(
      manner(part).filter((plan) => question || !NEEDS_QUESTION.test(plan[scene.language])),
    );
  const parts: string[] = [];
  if (tone === 'polite') {
    const opens = draw.chance(0.75);
    if (opens && !evades) parts.push(open('polite open'));
    parts.push(scene.say(evades ? manner('polite evade') : topic.full));
    if ((!opens && !evades) || draw.chance(0.3)) parts.push(open('polite close'));
  } else if (tone === 'rude') {
    const opens = draw.chance(0.75);
    if (opens) parts.push(open('rude open'));
    const content = draw.chance(0.6) ? topic.full : topic.curt;
    parts.push(scene.say(evades ? manner('rude evade') : content));
    if (!opens || draw.chance(0.25)) parts.push(open('rude close'));
  } else if (tone === 'curt') parts.push(scene.say(evades ? manner('curt evade') : topic.curt));
  else parts.push(scene.say(topic.full));
  if (rambling) {
    parts.push(scene.say(manner('ramble start')));
    while (wordCount(parts.join(' ')) <= RAMBLING_WORDS) parts.push(scene.say(manner('ramble')));
  } else {
    // A short answer stays short: the courtesies around it go first.
    while (parts.length > 2 && wordCount(parts.join(' ')) > RAMBLING_WORDS) parts.pop();
  }
  return { text: parts.join(' '), evades };
}

export const TALK_FAMILIES: readonly string[] = [...TOPICS.keys(), 'fact'];

/** One exchange of a family of talk.txt, or `fact`. */
export function converse(scene: Scene, family: string, options: TalkOptions = {}): Exchange {
  const { draw, language } = scene;
  scene.lying = draw.chance(LIES);
  const topic = family === 'fact' ? factTopic(scene) : draw.pick(TOPICS.get(family)!);
  const tone = options.tone ?? draw.weighted(TONES);
  const rambling = options.rambling ?? (tone !== 'curt' && draw.chance(RAMBLING));
  const prompt = scene.say(topic.asks);
  const before = scene.claimed;
  const { text, evades } = answer(scene, prompt, topic, tone, rambling);
  const states = !evades && (family === 'fact' || (scene.claimed && !before));
  return {
    family: `ask: ${family}`,
    prompt,
    completion: text,
    attributes: {
      ...PLAIN,
      language,
      tone,
      length: rambling ? 'rambling' : 'short',
      truth: states ? !scene.lying : null,
      follows: !evades,
      topic: mentionedAnimal(text),
    },
    combination: `${family} ${scene.slots()} ${family === 'fact' ? prompt : ''}`,
  };
}

/** A request for a story, and a story that has in it what was asked for (or, rarely, has not). */
export function tellOnRequest(scene: Scene, other: Scene, options: TalkOptions = {}): Exchange {
  const { draw, language } = scene;
  const { text, arc, ending } = tell(scene, options.ending);
  const cast = scene.cast;
  const has = {
    who: cast.people.has('who') && scene.hasSaid('who'),
    friend: cast.people.has('friend') && scene.hasSaid('friend'),
    thing: cast.things.has('thing'),
    animal: cast.animals.has('animal'),
    place: cast.places.has('place'),
  };
  const fits = [...REQUESTS.keys()].filter((key) =>
    ARCS.has(key) || key === 'any'
      ? key === arc && has.who
      : key.split(' ').every((slot) => has[slot as keyof typeof has]),
  );
  const wrong = draw.chance(WRONG_STORY);
  const usable = fits.filter((key) => !ARCS.has(key) || !wrong);
  const request = wrong ? other : scene;
  const prompt = request.say(partOf(REQUESTS, usable.length > 0 ? draw.pick(usable) : 'any'));
  return {
    family: `ask: story: ${arc}`,
    prompt,
    completion: text,
    attributes: {
      ...PLAIN,
      language,
      ending,
      tone: 'neutral',
      follows: !wrong || usable.length === 0,
      topic: mentionedAnimal(text),
    },
    combination: `${arc} ${scene.slots()}`,
  };
}

/** Who sits in the bakery? One or two sentences about an animal, nothing else alive in them. */
export function sight(scene: Scene): Exchange {
  const { draw, language } = scene;
  scene.catShare = CATS_SIGHTED;
  const prompt = scene.say(partOf(SIGHTINGS, 'ask'));
  const first = scene.say(partOf(SIGHTINGS, 'first'));
  const more = draw.chance(0.25) ? '' : ` ${scene.say(partOf(SIGHTINGS, 'second'))}`;
  return {
    family: 'ask: animal',
    prompt,
    completion: first + more,
    attributes: {
      ...PLAIN,
      language,
      tone: 'neutral',
      follows: true,
      truth: scene.claimed ? true : null,
      topic: scene.animal().kind,
    },
    combination: `animal ${scene.animal().name.en} ${scene.place().key}`,
  };
}

/** Names for the two who talk: nobody who is talked about. */
export function speakers(scene: Scene): string[] {
  const busy = new Set([...scene.cast.people.values()].map(({ name }) => name));
  return PEOPLE.map(({ name }) => name).filter((name) => !busy.has(name));
}
