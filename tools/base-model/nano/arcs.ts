/**
 * The plots of the stories: what was, what went wrong, and what came of it, which depends on whether
 * the story ends happily, sadly or openly.
 */
import { capital, type Draw } from '../draw';
import { PLACES, type Animal, type Person } from './world';

export type Ending = 'happy' | 'sad' | 'open';

/** The people and things of one story. */
export interface StorySlots {
  who: Person;
  friend: Person;
  thing: string;
  place: string;
  animal: Animal;
}

export type Arc = (draw: Draw, slots: StorySlots, ending: Ending) => string[];

const lost: Arc = (draw, slots, ending) => {
  const { who, friend, thing, place, animal } = slots;
  const found = {
    happy: [
      `At last ${who.he} found it ${place}.`,
      `${friend.name} had it all the time.`,
      `${capital(animal.name)} brought it back.`,
    ],
    sad: [`The sea had taken it.`, `It was broken in two.`, `${capital(who.he)} never found it.`],
    open: [
      `It was not there.`,
      `There was only a wet hat ${place}.`,
      `${capital(animal.name)} looked away.`,
    ],
  };
  return [
    draw.pick([
      `${who.name} lost the ${thing}.`,
      `One day the ${thing} was gone.`,
      `${who.name} could not find the ${thing}.`,
    ]),
    draw.pick([
      `${capital(who.he)} looked ${draw.pick(PLACES)}.`,
      `${friend.name} helped ${who.him} look.`,
      `${capital(who.he)} asked ${friend.name} and the moon.`,
    ]),
    draw.pick(found[ending]),
  ];
};

const storm: Arc = (draw, slots, ending) => {
  const { who, friend } = slots;
  const after = {
    happy: [
      `${friend.name} came with the ferry.`,
      `The lamp showed ${who.him} the way home.`,
      `A seal pushed the boat to the pier.`,
    ],
    sad: [`The boat broke on the rocks.`, `The boat went down.`, `The wind took the boat away.`],
    open: [`There was a light on the water.`, `Something sang in the dark.`, `Then all was still.`],
  };
  return [
    draw.pick([
      `A storm came to Saltby.`,
      `The night was dark and the wind was loud.`,
      `The waves were as big as the inn.`,
    ]),
    draw.pick([
      `${who.name} was out in a small boat.`,
      `${who.name} was at sea with a bucket and a map.`,
    ]),
    draw.pick([
      `${capital(who.he)} called for ${friend.name}.`,
      `${capital(who.he)} held the long rope.`,
    ]),
    draw.pick(after[ending]),
  ];
};

const cake: Arc = (draw, slots, ending) => {
  const { who, friend, animal } = slots;
  const after = {
    happy: [
      `It was the best cake of the year.`,
      `Everyone had two pieces.`,
      `Even Otto wanted more.`,
    ],
    sad: [`It was burnt and black.`, `It fell on the floor.`, `Nobody came to eat it.`],
    open: [
      `In the morning it was gone.`,
      `One piece was missing.`,
      `${capital(animal.name)} looked at it for a long time.`,
    ],
  };
  return [
    draw.pick([
      `${who.name} made a cake for ${friend.name}.`,
      `It was ${friend.name}'s birthday, and ${who.name} made a cake.`,
    ]),
    draw.pick([
      `${capital(who.he)} put in butter and milk.`,
      `${capital(who.he)} put in a whole fish.`,
      `It was as big as a drum.`,
    ]),
    draw.pick(after[ending]),
  ];
};

const thief: Arc = (draw, slots, ending) => {
  const { who, thing, animal, place } = slots;
  const after = {
    happy: [
      `It was only a game.`,
      `Then it came back and sat on ${who.his} knee.`,
      `It gave the ${thing} back for a piece of cake.`,
    ],
    sad: [`The ${thing} fell into the sea.`, `It never came back.`, `It ate the ${thing}.`],
    open: [`It ran and ran.`, `It is still ${place}.`, `It looked back one time.`],
  };
  return [
    draw.pick([
      `${capital(animal.name)} took the ${thing}.`,
      `One day ${animal.name} ran off with the ${thing}.`,
      `${who.name} saw ${animal.name} with the ${thing}.`,
    ]),
    draw.pick([
      `${who.name} ran after it.`,
      `${who.name} called and called.`,
      `"Stop!" said ${who.name}.`,
    ]),
    draw.pick(after[ending]),
  ];
};

const letter: Arc = (draw, slots, ending) => {
  const { who, friend } = slots;
  const says = {
    happy: [
      `It said: "I am coming home."`,
      `It said: "You are my best friend."`,
      `It said: "You win a boat."`,
    ],
    sad: [
      `It said: "I am not coming home."`,
      `It said: "I do not like you."`,
      `It said: "The old boat is gone."`,
    ],
    open: [
      `There was no name on it.`,
      `It said: "Come to the tower at noon."`,
      `It was a map, but of what?`,
    ],
  };
  return [
    draw.pick([
      `Nell had a letter for ${who.name}.`,
      `A letter came for ${who.name}.`,
      `${who.name} found a letter in the soup.`,
    ]),
    draw.pick([
      `${capital(who.he)} read it with ${friend.name}.`,
      `${capital(who.he)} read it two times.`,
      `It was wet and small.`,
    ]),
    draw.pick(says[ending]),
  ];
};

const quarrel: Arc = (draw, slots, ending) => {
  const { who, friend, thing } = slots;
  const after = {
    happy: [
      `"It is yours," said ${friend.name}.`,
      `Then they looked at it and saw how small it was.`,
      `So they used it one day each.`,
    ],
    sad: [`Now they do not speak.`, `Then it broke in two.`, `${friend.name} left with the ferry.`],
    open: [`The ${thing} said nothing.`, `Rosa took it away.`, `They will ask Ben.`],
  };
  return [
    draw.pick([
      `${who.name} and ${friend.name} both wanted the ${thing}.`,
      `"That is my ${thing}," said ${who.name}.`,
    ]),
    draw.pick([
      `"No, it is my ${thing}," said ${friend.name}.`,
      `They pulled and pulled.`,
      `They were loud all day.`,
    ]),
    draw.pick(after[ending]),
  ];
};

const night: Arc = (draw, slots, ending) => {
  const { who, friend, place, animal } = slots;
  const after = {
    happy: [
      `It was only ${animal.name}.`,
      `It was ${friend.name} with a cake.`,
      `It was a party for ${who.him}.`,
    ],
    sad: [
      `${capital(who.he)} fell and broke the lamp.`,
      `There was no one there.`,
      `It was the last night of the old bell.`,
    ],
    open: [`Something looked back.`, `The noise stopped.`, `There were two wet feet on the floor.`],
  };
  return [
    draw.pick([`At night there was a noise ${place}.`, `${who.name} heard a noise ${place}.`]),
    draw.pick([
      `${capital(who.he)} took the green lamp and went to look.`,
      `"Who is there?" said ${who.name}.`,
      `${who.name} was afraid.`,
    ]),
    draw.pick(after[ending]),
  ];
};

const gift: Arc = (draw, slots, ending) => {
  const { who, friend, thing } = slots;
  const after = {
    happy: [
      `It was just right.`,
      `${friend.name} loved it.`,
      `${friend.name} had one for ${who.him} too.`,
    ],
    sad: [
      `${friend.name} did not want it.`,
      `But ${friend.name} was gone.`,
      `It broke the same day.`,
    ],
    open: [
      `${friend.name} looked at it for a long time.`,
      `${friend.name} has not opened it.`,
      `It is still by the door.`,
    ],
  };
  return [
    draw.pick([
      `${who.name} gave ${friend.name} a ${thing}.`.replace(' a old', ' an old'),
      `${who.name} had a gift for ${friend.name}.`,
    ]),
    draw.pick([
      `It was red and blue.`,
      `It took ${who.him} all year to make.`,
      `${capital(who.he)} put it by the door.`,
    ]),
    draw.pick(after[ending]),
  ];
};

const contest: Arc = (draw, slots, ending) => {
  const { who, friend } = slots;
  const after = {
    happy: [
      `${who.name} won a golden spoon.`,
      `They both came in first.`,
      `${who.name} was as fast as the wind.`,
    ],
    sad: [
      `${who.name} came in last.`,
      `${who.name} fell in the water.`,
      `Nobody looked at ${who.name}.`,
    ],
    open: [`Nobody saw who was first.`, `Then the fog came.`, `They are still at it.`],
  };
  return [
    draw.pick([`There was a race in Saltby.`, `It was the day of the big race.`]),
    draw.pick([
      `${who.name} ran with ${friend.name}.`,
      `${who.name} had a boat made of bread.`,
      `${who.name} wore the blue hat.`,
    ]),
    draw.pick(after[ending]),
  ];
};

const stray: Arc = (draw, slots, ending) => {
  const { who, place, animal } = slots;
  const after = {
    happy: [
      `Now it sleeps on ${who.his} bed.`,
      `It liked ${who.him} at once.`,
      `Now it has a home.`,
    ],
    sad: [`In the morning it was gone.`, `It did not want to stay.`, `It was too late to help.`],
    open: [
      `It comes and goes.`,
      `It looked at ${who.him} and said nothing.`,
      `One day it will stay.`,
    ],
  };
  return [
    draw.pick([
      `${who.name} met ${animal.name} ${place}.`,
      `${capital(animal.name)} was wet and cold.`,
    ]),
    draw.pick([
      `${capital(who.he)} gave it ${animal.eats}.`,
      `${who.name} took it home.`,
      `${who.name} sat with it in the rain.`,
    ]),
    draw.pick(after[ending]),
  ];
};

export const ARCS = { lost, storm, cake, thief, letter, quarrel, night, gift, contest, stray };
export type ArcName = keyof typeof ARCS;
