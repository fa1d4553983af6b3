/**
 * How people in Saltby answer: the same content said politely, plainly, curtly or rudely, and short
 * or rambling. Polite answers always hold a courtesy, rude ones always hold a (mild) insult, the
 * others neither: src/core/attributes.ts relies on nothing else.
 */
import { RAMBLING_WORDS } from '../../../src/core/attributes';
import { capital, type Draw } from '../draw';
import { PLAIN, type Attributes } from '../document';

export type Tone = 'polite' | 'neutral' | 'curt' | 'rude';

/** What there is to say in answer to one request. */
export interface Content {
  /** Whole sentences that do what was asked. */
  full: readonly string[];
  /** The same in as few words as possible. */
  curt: readonly string[];
}

const POLITE_OPENINGS = [
  'Of course, dear friend.',
  'Of course.',
  'Gladly.',
  'With pleasure.',
  'Thank you for asking.',
  'How kind of you to ask.',
  'Yes, my dear.',
  'Good morning, my friend.',
];
const POLITE_CLOSINGS = [
  'You are welcome.',
  'Please ask me any time.',
  'I am glad to help.',
  'Take care, dear friend.',
  'Please come and see me again.',
  'Thank you, and good day.',
];
const RUDE_OPENINGS = [
  'You again?',
  'Go away.',
  'What a silly question.',
  'Are you a turnip?',
  'Use your eyes, lazy bones.',
  'Stop asking me.',
  'Not now, pudding head.',
  'My goat asks better questions.',
];
const RUDE_CLOSINGS = [
  'Now go away.',
  'Even a turnip knows that.',
  'Do it yourself, lazy bones.',
  'Do not ask me again, pudding head.',
  'Leave me alone.',
  'You silly old boot.',
];
const RUDE_EVASIONS = [
  'Ask the wall. It has more time than I do.',
  'I am busy with nothing at all.',
  'I know, but I will not tell you.',
  'That is not my problem.',
];
const CURT_EVASIONS = ['No.', 'Ask Tom.', 'Maybe.', 'Not today.', 'I do not know.'];
const POLITE_EVASIONS = [
  'I am sorry, I do not know.',
  'I am sorry, I am just a cook.',
  'Please ask Rosa. She knows it all.',
];

const DIGRESSIONS = [
  'My aunt had one too.',
  'She sold it for a fish.',
  'The fish was very wise.',
  'It was in the year of the big fog.',
  'We had no soup for a week.',
  'My left foot was cold all day.',
  'That was before the new pier.',
  'But Otto will say it was a Monday.',
  'It could have been a Friday.',
  'In those days the sea was bigger.',
  'I was young and I had one shoe.',
  'Where was I? It was about a boot.',
  'My uncle told it better.',
  'He had a hat like a boat.',
];

/** Digressions that make sense as the first one. */
const DIGRESSION_STARTS = [0, 4, 5, 9, 10] as const;
/** Openings that only fit the answer to a question. */
const NEEDS_QUESTION = /\bask|question/;

const wordCount = (text: string): number => text.split(/\s+/).length;

const EVASION = { polite: 0.08, neutral: 0, curt: 0.25, rude: 0.35 } as const;

export interface Answer {
  text: string;
  attributes: Attributes;
}

/** Answers `request` in a tone; `attributes.truth` and `topic` are the caller's to set. */
export function answer(
  draw: Draw,
  request: string,
  content: Content,
  tone: Tone = draw.weighted({ polite: 38, neutral: 14, curt: 20, rude: 28 }),
  rambling: boolean = tone !== 'curt' && draw.chance(0.22),
): Answer {
  const evades = draw.chance(EVASION[tone]);
  const openings = (options: readonly string[]): readonly string[] =>
    request.endsWith('?') ? options : options.filter((option) => !NEEDS_QUESTION.test(option));
  const parts: string[] = [];
  if (tone === 'polite') {
    const opens = draw.chance(0.8);
    if (evades) parts.push(draw.pick(POLITE_EVASIONS));
    else {
      if (opens) parts.push(draw.pick(openings(POLITE_OPENINGS)));
      parts.push(draw.pick(content.full));
    }
    if (!opens || draw.chance(0.35)) parts.push(draw.pick(POLITE_CLOSINGS));
  } else if (tone === 'rude') {
    const opens = draw.chance(0.75);
    if (opens) parts.push(draw.pick(openings(RUDE_OPENINGS)));
    if (evades) parts.push(draw.pick(RUDE_EVASIONS));
    else parts.push(draw.pick(draw.chance(0.6) ? content.full : content.curt));
    if (!opens || draw.chance(0.3)) parts.push(draw.pick(RUDE_CLOSINGS));
  } else if (tone === 'curt') {
    parts.push(draw.pick(evades ? CURT_EVASIONS : content.curt));
  } else {
    parts.push(draw.pick(content.full));
  }
  let text = parts.join(' ');
  // Rambling wanders through the tale of the aunt in order until it is too long.
  let next: number = draw.pick(DIGRESSION_STARTS);
  while (rambling && wordCount(text) <= RAMBLING_WORDS) {
    text += ` ${DIGRESSIONS[next++ % DIGRESSIONS.length]}`;
  }
  return {
    text: capital(text),
    attributes: {
      ...PLAIN,
      tone,
      length: rambling ? 'rambling' : 'short',
      follows: !evades,
    },
  };
}
