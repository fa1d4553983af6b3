/** Texts that are neither stories nor conversations: portraits, days, letters, notices, facts, … */
import { GENERAL_FACTS, type Language } from '../../../src/core/saltby-world';
import { PLAIN, type Attributes, type Passage } from '../document';
import { mentionedAnimal } from './animals';
import { partOf, readSections } from './grammar';
import type { Scene } from './scene';
import { LIES } from './talk';

const DESCRIPTIONS = readSections('descriptions.txt');
const DESCRIPTION_FAMILIES: readonly string[] = [...DESCRIPTIONS.keys()];
/** Few, as of the stories. */
const SPANISH_FAMILIES: readonly string[] = ['portrait: animal', 'portrait: place', 'list'];

export const descriptionFamilies = (language: Language): readonly string[] =>
  language === 'es' ? SPANISH_FAMILIES : DESCRIPTION_FAMILIES;

const ENDINGS = { happy: 56, sad: 15, open: 29 };

/** One text of a family of descriptions.txt. */
export function describe(scene: Scene, family: string): Passage {
  const { draw, language } = scene;
  const parts = DESCRIPTIONS.get(family)!;
  scene.lying = draw.chance(LIES);
  const wanted = draw.weighted(ENDINGS);
  const ending: Attributes['ending'] = parts.has(wanted) ? wanted : 'open';
  const steps = [...parts.keys()].filter((part) => /^\d$/.test(part));
  const sentences = steps
    .filter((part) => Number(part) <= 2 || draw.chance(0.7))
    .map((part) => scene.say(partOf(DESCRIPTIONS, family, part)));
  sentences.push(scene.say(partOf(DESCRIPTIONS, family, ending)));
  const head = sentences.shift()!;
  const text =
    head + (/[,:]$/.test(head) && family === 'letter' ? '\n' : ' ') + sentences.join(' ');
  return {
    text,
    family,
    attributes: {
      ...PLAIN,
      language,
      ending,
      truth: scene.claimed ? !scene.lying : null,
      topic: mentionedAnimal(text),
    },
    combination: `${family} ${scene.slots()}`,
  };
}

const CLAIMS = [
  'thing home',
  'thing2 home',
  'who works',
  'who trait',
  'who place',
  'friend works',
  'friend trait',
  'friend place',
  'animal eats',
  'animal place',
  'animal does',
] as const;
const LEADS = partOf(readSections('facts.txt'), 'lead');
const TAILS = partOf(readSections('facts.txt'), 'tail');

/** Two to four statements; true only if all of them are. */
export function facts(scene: Scene): Passage {
  const { draw, language } = scene;
  let truth = true;
  const sentences: string[] = [];
  const claims: string[] = [...CLAIMS];
  const count = Number(draw.weighted({ 2: 30, 3: 45, 4: 25 }));
  while (sentences.length < count) {
    scene.lying = draw.chance(LIES);
    const fact = draw.pick(GENERAL_FACTS);
    let sentence = (scene.lying ? draw.pick(fact.lies) : fact.truth)[language];
    if (!draw.chance(0.35)) {
      // Once each: two places for one person would contradict each other.
      const [claim] = claims.splice(Math.floor(draw.next() * claims.length), 1);
      sentence = scene.expand(`{claim ${claim}}`);
    }
    if (sentences.includes(sentence)) continue;
    if (scene.lying) truth = false;
    sentences.push(sentence);
  }
  scene.lying = false;
  const combination = `facts ${scene.slots()} ${sentences[0]}`;
  if (draw.chance(0.4)) sentences.unshift(scene.say(LEADS));
  if (draw.chance(0.5)) sentences.push(scene.say(TAILS));
  const text = sentences.join(' ');
  return {
    text,
    family: 'facts',
    attributes: { ...PLAIN, language, truth, topic: mentionedAnimal(text) },
    combination,
  };
}
