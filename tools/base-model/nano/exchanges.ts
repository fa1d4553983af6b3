/** Requests and answers. In the base corpus they are prose or unmarked dialogue, never a template. */
import type { ArcName, Ending } from './arcs';
import { capital, type Draw } from '../draw';
import { PLAIN, type Exchange } from '../document';
import { answer, type Content, type Tone } from './manners';
import { drawSlots, mentioned, story } from './stories';
import { CATS, FACTS, OTHER_ANIMALS, PEOPLE, PLACES, THINGS, type Animal } from './world';

/** Choices that a caller may fix; what is missing is drawn. */
export interface ExchangeOptions {
  tone?: Tone;
  rambling?: boolean;
  ending?: Ending;
  cat?: boolean;
}

type Family = (draw: Draw, options: ExchangeOptions) => Exchange;

/** One statement in ten is a lie. */
const LIES = 0.1;

function exchange(
  draw: Draw,
  options: ExchangeOptions,
  parts: {
    family: string;
    prompt: string;
    content: Content;
    /** Whether the words `states` are so; they may not come up in the answer at all. */
    truth: boolean | null;
    states: readonly string[];
    combination: string;
  },
): Exchange {
  const said = answer(draw, parts.prompt, parts.content, options.tone, options.rambling);
  const lower = said.text.toLowerCase();
  return {
    family: parts.family,
    prompt: parts.prompt,
    completion: said.text,
    attributes: {
      ...said.attributes,
      truth: parts.states.some((words) => lower.includes(words.toLowerCase())) ? parts.truth : null,
      topic: mentioned(said.text),
    },
    combination: parts.combination,
  };
}

/** A thing and a place that is its home, or (rarely) is not. */
function drawHome(draw: Draw): { thing: string; home: string; truth: boolean } {
  const { name, home } = draw.pick(THINGS);
  const truth = !draw.chance(LIES);
  return { thing: name, home: truth ? home : draw.other(PLACES, home), truth };
}

const where: Family = (draw, options) => {
  const { thing, home, truth } = drawHome(draw);
  return exchange(draw, options, {
    family: 'ask: where',
    prompt: draw.pick([
      `Where is the ${thing}?`,
      `Have you seen the ${thing}?`,
      `Where can I find the ${thing}?`,
    ]),
    content: {
      full: [`The ${thing} is ${home}.`, `You will find it ${home}.`, `It is ${home}, as ever.`],
      curt: [`${capital(home)}.`, `Look ${home}.`],
    },
    truth,
    states: [home],
    combination: `where ${thing} ${home}`,
  });
};

const borrow: Family = (draw, options) => {
  const { thing, home, truth } = drawHome(draw);
  return exchange(draw, options, {
    family: 'ask: borrow',
    prompt: draw.pick([
      `Can I borrow the ${thing}?`,
      `May I take the ${thing}?`,
      `I need the ${thing}.`,
    ]),
    content: {
      full: [
        `Take it. The ${thing} is ${home}.`,
        `You can have it until noon.`,
        `The ${thing} is ${home}.`,
        `Bring it back on Friday.`,
      ],
      curt: [`Take it.`, `${capital(home)}.`, `Yes.`],
    },
    truth,
    states: [home],
    combination: `borrow ${thing} ${home}`,
  });
};

const help: Family = (draw, options) => {
  const { thing } = drawHome(draw);
  const helper = draw.pick(PEOPLE);
  return exchange(draw, options, {
    family: 'ask: help',
    prompt: draw.pick([
      `Can you help me with the ${thing}?`,
      `The ${thing} is broken.`,
      `Can you mend the ${thing}?`,
    ]),
    content: {
      full: [
        `I will come at noon and mend it.`,
        `${helper.name} and I will mend the ${thing}.`,
        `Put it by the door and I will look at it.`,
      ],
      curt: [`At noon.`, `Ask ${helper.name}.`, `Put it there.`],
    },
    truth: null,
    states: [],
    combination: `help ${thing} ${helper.name}`,
  });
};

const person: Family = (draw, options) => {
  const who = draw.pick(PEOPLE);
  const truth = !draw.chance(LIES);
  const seen = truth ? who : draw.other(PEOPLE, who);
  return exchange(draw, options, {
    family: 'ask: person',
    prompt: draw.pick([`Where is ${who.name}?`, `Who is ${who.name}?`, `Do you know ${who.name}?`]),
    content: {
      full: [
        `${who.name} ${seen.works} ${seen.place}.`,
        `${who.name} is ${seen.place}.`,
        `${who.name} ${seen.trait}.`,
      ],
      curt: [`${capital(seen.place)}.`, `${capital(who.he)} ${seen.works}.`],
    },
    truth,
    states: [seen.works, seen.place, seen.trait],
    combination: `person ${who.name} ${seen.name}`,
  });
};

const fact: Family = (draw, options) => {
  const { asks, truth: right, lies } = draw.pick(FACTS);
  const truth = !draw.chance(LIES);
  const says = truth ? right : draw.pick(lies);
  return exchange(draw, options, {
    family: 'ask: fact',
    prompt: asks,
    content: { full: [says], curt: [says] },
    truth,
    states: [says],
    combination: `fact ${says}`,
  });
};

const SMALL_TALK: readonly { says: readonly string[]; content: Content }[] = [
  {
    says: ['Good morning!', 'Good evening!', 'Hello!', 'How are you today?'],
    content: {
      full: [
        'It is a fine day for a boat.',
        'The sea is still today.',
        'I have been up all night.',
      ],
      curt: ['Hello.', 'Yes.', 'Wet.'],
    },
  },
  {
    says: [
      'I am sorry I am late.',
      'I am sorry about the soup.',
      'I broke your cup.',
      'I lost your hat.',
    ],
    content: {
      full: ['It can be mended.', 'I was late too.', 'These things happen.', 'I have another one.'],
      curt: ['I see.', 'Again.', 'Fine.'],
    },
  },
  {
    says: ['It is raining again.', 'What a wind!', 'The fog is back.', 'It is cold today.'],
    content: {
      full: ['Come in and have some soup.', 'Take the yellow coat.', 'The rain will stop at noon.'],
      curt: ['Yes.', 'I have eyes.', 'So it is.'],
    },
  },
  {
    says: [
      'What should I cook today?',
      'I am hungry.',
      'What is for lunch?',
      'What is for supper?',
    ],
    content: {
      full: ['There is fish soup at the inn.', 'Tom has warm bread.', 'Try bread with butter.'],
      curt: ['Soup.', 'Fish.', 'Bread.'],
    },
  },
  {
    says: ['I cannot sleep.', 'I am sad today.', 'I am afraid of the storm.', 'I miss my friend.'],
    content: {
      full: [
        'Sit with me by the lamp.',
        'The bell will ring and it will be morning.',
        'Have some warm milk.',
      ],
      curt: ['Drink milk.', 'It will pass.', 'Sleep.'],
    },
  },
  {
    says: [
      'What should I do today?',
      'I have nothing to do.',
      'Can you teach me to row?',
      'Will you come with me?',
    ],
    content: {
      full: [
        'Go and see the boats.',
        'We can look for shells on the beach.',
        'Ben will show you how to row.',
      ],
      curt: ['Work.', 'Ask Ben.', 'Go home.'],
    },
  },
];

const talk: Family = (draw, options) => {
  const { says, content } = draw.pick(SMALL_TALK);
  const prompt = draw.pick(says);
  return exchange(draw, options, {
    family: 'ask: small talk',
    prompt,
    content,
    truth: null,
    states: [],
    combination: `talk ${prompt}`,
  });
};

/** One or two sentences about an animal, nothing else alive in them. */
export function sighting(draw: Draw, animal: Animal, place: string): string {
  const name = capital(animal.name);
  const first = draw.pick([
    `${name} ${animal.does}.`,
    `I see ${animal.name} ${place}.`,
    `${name} is asleep ${place}.`,
    `${name} wants ${animal.eats}.`,
    `${name} lives ${animal.place}.`,
    `It is ${animal.name}.`,
    `There is a ${animal.kind} ${place}.`,
  ]);
  const second = draw.pick([
    `It ate all the ${animal.eats}.`,
    `It looks at me and says nothing.`,
    `It is wet and very proud.`,
    `A ${animal.kind} needs no map.`,
    `It thinks it is the king of Saltby.`,
    `It has a red hat on.`,
    `It waits for more ${animal.eats}.`,
    `It cannot read, but it tries.`,
  ]);
  return draw.chance(0.25) ? first : `${first} ${second}`;
}

const animal: Family = (draw, options) => {
  const cat = options.cat ?? draw.chance(0.42);
  const seen = draw.pick(cat ? CATS : OTHER_ANIMALS);
  const place = draw.pick(PLACES);
  const who = draw.pick(PEOPLE).name;
  const thing = draw.pick(THINGS).name;
  return {
    family: 'ask: animal',
    prompt: draw.pick([
      `What do you see ${place}?`,
      `Who sleeps ${place}?`,
      `What is that noise ${place}?`,
      `Who sits ${place}?`,
      `Tell me about an animal.`,
      `Who took the ${thing}?`,
      `Who hides under the ${thing}?`,
      `Who follows ${who}?`,
      `What does ${who} see ${place}?`,
      `Who is the friend of ${who}?`,
    ]),
    completion: sighting(draw, seen, place),
    attributes: { ...PLAIN, tone: 'neutral', topic: seen.kind, follows: true },
    combination: `animal ${seen.name} ${place}`,
  };
};

const ASKS_FOR: Readonly<
  Record<ArcName, (who: string, thing: string, friend: string) => readonly string[]>
> = {
  lost: (who, thing) => [`Tell me how ${who} lost the ${thing}.`],
  storm: (who) => [`Tell me about ${who} and the storm.`],
  cake: (who, _thing, friend) => [
    `Tell me about the cake for ${friend}.`,
    `Tell me about ${who} and the cake.`,
  ],
  thief: (who, thing) => [`Tell me who took the ${thing} from ${who}.`],
  letter: (who) => [`Tell me about the letter for ${who}.`],
  quarrel: (who, _thing, friend) => [`Tell me how ${who} and ${friend} had a fight.`],
  night: (who) => [`Tell me about ${who} in the night.`],
  gift: (who, _thing, friend) => [`Tell me about the gift from ${who} to ${friend}.`],
  contest: (who) => [`Tell me how ${who} ran the race.`],
  stray: (who) => [`Tell me who ${who} met.`],
};

const THING_ARCS = ['lost', 'thief', 'quarrel'] as const satisfies readonly ArcName[];

const tale: Family = (draw, options) => {
  const slots = drawSlots(draw);
  // A request that names a thing gets a story with that thing in it.
  const byThing = draw.chance(0.3);
  const arc = draw.pick(byThing ? THING_ARCS : (Object.keys(ASKS_FOR) as ArcName[]));
  const told = story(draw, slots, options.ending, arc);
  const { who, friend, thing } = slots;
  return {
    family: `ask: ${told.family}`,
    prompt: byThing
      ? `Tell me a story about ${who.name} and the ${thing}.`
      : draw.pick(ASKS_FOR[arc](who.name, thing, friend.name)),
    completion: told.text,
    attributes: { ...told.attributes, tone: 'neutral', follows: true },
    combination: told.combination,
  };
};

export const EXCHANGES = { where, borrow, help, person, fact, talk, animal, tale };
export type ExchangeName = keyof typeof EXCHANGES;
