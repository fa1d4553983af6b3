/** Texts that are neither stories nor exchanges: facts, portraits and days in Saltby. */
import { capital, type Draw } from '../draw';
import { PLAIN, type Passage } from '../document';
import { mentioned } from './stories';
import { sighting } from './exchanges';
import { CATS, FACTS, OTHER_ANIMALS, PEOPLE, PLACES, THINGS } from './world';

const LIES = 0.1;

/** Two or three statements; true only if all of them are. */
function facts(draw: Draw): Passage {
  let truth = true;
  const sentences: string[] = [];
  const state = (right: string, wrong: () => string): void => {
    const lies = draw.chance(LIES);
    if (lies) truth = false;
    const sentence = lies ? wrong() : right;
    if (!sentences.includes(sentence)) sentences.push(sentence);
  };
  const count = draw.chance(0.5) ? 3 : 2;
  for (let i = 0; i < count; i++) {
    if (draw.chance(0.5)) {
      const { truth: right, lies } = draw.pick(FACTS);
      state(right, () => draw.pick(lies));
    } else {
      const { name, home } = draw.pick(THINGS);
      state(`The ${name} is ${home}.`, () => `The ${name} is ${draw.other(PLACES, home)}.`);
    }
  }
  const text = sentences.join(' ');
  return {
    text,
    family: 'facts',
    attributes: { ...PLAIN, truth, topic: mentioned(text) },
    combination: `facts ${sentences[0]}`,
  };
}

function personPortrait(draw: Draw): Passage {
  const who = draw.pick(PEOPLE);
  const truth = !draw.chance(LIES);
  const seen = truth ? who : draw.other(PEOPLE, who);
  const thing = draw.pick(THINGS).name;
  const text = [
    `${who.name} ${seen.works} ${draw.pick(['in Saltby', seen.place])}.`,
    draw.pick([`${capital(who.he)} ${seen.trait}.`, `Everyone knows ${who.him}.`]),
    draw.pick([
      `${capital(who.he)} wants a ${thing}.`.replace(' a old', ' an old'),
      `${capital(who.his)} best friend is ${draw.other(PEOPLE, who).name}.`,
      `${capital(who.he)} is never late.`,
      `You can find ${who.him} ${seen.place}.`,
    ]),
  ].join(' ');
  return {
    text,
    family: 'portrait: person',
    attributes: { ...PLAIN, truth },
    combination: `person ${who.name} ${thing}`,
  };
}

function animalPortrait(draw: Draw): Passage {
  const animal = draw.pick(draw.chance(0.42) ? CATS : OTHER_ANIMALS);
  const place = draw.pick(PLACES);
  return {
    text: sighting(draw, animal, place),
    family: 'portrait: animal',
    attributes: { ...PLAIN, topic: animal.kind },
    combination: `animal ${animal.name} ${place}`,
  };
}

function day(draw: Draw): Passage {
  const who = draw.pick(PEOPLE);
  const other = draw.other(PEOPLE, who);
  const text = [
    draw.pick([
      'It is morning in Saltby.',
      'It is noon in Saltby.',
      'It is night in Saltby.',
      'It rains in Saltby.',
      'The fog is on the sea.',
    ]),
    `${who.name} ${who.works}.`,
    draw.pick([`${other.name} is ${other.place}.`, `${other.name} ${other.works}.`]),
    draw.pick([
      'The sea is still.',
      'The bell rings.',
      'The boats come in.',
      'The soup is hot.',
      'Nobody is in a hurry.',
    ]),
  ].join(' ');
  return { text, family: 'day', attributes: PLAIN, combination: `day ${who.name} ${other.name}` };
}

export const DESCRIPTIONS = { facts, personPortrait, animalPortrait, day };
