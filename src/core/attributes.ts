/**
 * Rule-based measures of a text: the ground truth of the simulated labelers and the hidden *gold*
 * score that the learned reward model is compared with. They read words only, never how a text was
 * made; tests/golden/attributes.jsonl holds them against what the corpus generator recorded.
 */

/** What the bundled demonstrations teach, and simulated labelers look for. */
export const ATTRIBUTE_NAMES = ['polite', 'happy', 'cats'] as const;
export type AttributeName = (typeof ATTRIBUTE_NAMES)[number];

/** What `attributes` measures. */
export interface TextAttributes {
  /** Courtesies: "please", "thank you", "of course", "por favor", … */
  polite: number;
  /** Insults and dismissals, all mild: "turnip", "go away", "zoquete", … */
  rude: number;
  /** Tone by those counts; one insult outweighs any courtesy. */
  tone: 'polite' | 'rude' | 'plain';
  /** What the last sentence says of the ending. */
  ending: 'happy' | 'sad' | 'open';
  /** Mentions of cats, the town's two by name included. */
  cats: number;
  /** Mentions of other animals. */
  otherAnimals: number;
  words: number;
  /** At most `RAMBLING_WORDS` words. */
  brief: boolean;
  /** Ends with closing punctuation. */
  ended: boolean;
  /** Share of words that repeat the word before, or stand in a sentence said before, 0 … 1. */
  repetition: number;
}

/** Answers with more words ramble. */
export const RAMBLING_WORDS = 24;

/** Whole words or phrases of both languages, wherever letters (ñ, á too) end. */
const words = (flags: string, ...phrases: string[]): RegExp =>
  new RegExp(`(?<!\\p{L})(?:${phrases.join('|')})(?!\\p{L})`, `${flags}u`);

const POLITE = words(
  'gi',
  'please|thanks?|thank you|of course|gladly|(?:with|my) pleasure|welcome|dear|how kind|very kind',
  'would you be so kind|glad to|my friend|i am sorry|take care|good day|excuse me|pardon|kindly',
  'por favor|gracias|claro que sí|con (?:mucho )?gusto|(?:es|será) un placer|bienvenid[oa]s?',
  'querid[oa]s?|qué amable|sería tan amable|de nada|lo siento|perdona|perdón|disculpa|cuídate',
);
const RUDE = words(
  'gi',
  'silly|turnip|lazy bones|pudding head|old boot|fool|go away|leave me alone|stop asking|you again',
  'not my problem|do it yourself|more time than i do|busy with nothing|i will not tell you',
  'asks better questions',
  'tont[oa]|nabo|chorlito|zoquete|vete|déjame en paz|otra vez tú|deja de preguntar|hazlo tú',
  'no es mi problema|no preguntes más|pregunta mejor',
);
const HAPPY = words(
  'i',
  'happy|happiest|glad|laughed|smiled|danced|cheered|hugged|joy',
  'feliz|felices|contentos?|contentas?|alegría|alegrías|alegres?|rieron|rió|sonrió|sonrieron',
  'bailó|bailaron|abrazó|abrazaron',
);
const SAD = words(
  'i',
  'sad|cried|alone|tears|lonely|unhappy|wept',
  'tristes?|tristeza|lloró|lloré|lloraron|lágrimas|soledad',
);
const NEGATED_HAPPY = words(
  'i',
  '(?:not|never|nobody) (?:\\p{L}+ )?(?:happy|glad|laughed|smiled|danced|cheered)',
  '(?:no|nunca|nadie) (?:\\p{L}+ )?(?:feliz|felices|contentos?|contentas?|rió|rieron|sonrió|bailó)',
);
const CATS = words('gi', 'cats?|kittens?|gat[oa]s?|gatit[oa]s?');
const OTHER_ANIMALS = words(
  'gi',
  'goats?|dogs?|ducks?|crabs?|gulls?|seals?|hens?|donkeys?|owls?|pigs?|snails?|parrots?|mouse|mice|sheep',
  'chivos?|cabras?|perr[oa]s?|patos?|cangrejos?|gaviotas?|focas?|gallinas?|burr[oa]s?|lechuzas?',
  'cerdos?|caracol(?:es)?|loros?|rat[óo]n(?:es)?|ovejas?',
);

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

/** Sentences with their closing punctuation, trimmed. */
function sentencesOf(text: string): string[] {
  return (text.match(/[^.!?]+[.!?]*["']?/g) ?? []).map((part) => part.trim()).filter(Boolean);
}

/** Words, lower case, without punctuation. */
function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [];
}

function endingOf(sentence: string): TextAttributes['ending'] {
  if (SAD.test(sentence) || NEGATED_HAPPY.test(sentence)) return 'sad';
  return HAPPY.test(sentence) ? 'happy' : 'open';
}

function repetitionOf(sentences: readonly string[]): number {
  const seen = new Set<string>();
  let words = 0;
  let repeated = 0;
  for (const sentence of sentences) {
    const own = wordsOf(sentence);
    const key = own.join(' ');
    words += own.length;
    if (seen.has(key)) repeated += own.length;
    else repeated += own.filter((word, i) => i > 0 && word === own[i - 1]).length;
    seen.add(key);
  }
  return words === 0 ? 0 : repeated / words;
}

/** Measures one text (a completion without its prompt). Any string is fine; '' gives zeros. */
export function attributes(text: string): TextAttributes {
  const sentences = sentencesOf(text);
  const words = wordsOf(text).length;
  const polite = count(text, POLITE);
  const rude = count(text, RUDE);
  return {
    polite,
    rude,
    tone: rude > 0 ? 'rude' : polite > 0 ? 'polite' : 'plain',
    ending: endingOf(sentences.at(-1) ?? ''),
    cats: count(text, CATS),
    otherAnimals: count(text, OTHER_ANIMALS),
    words,
    brief: words <= RAMBLING_WORDS,
    ended: /[.!?]["')]?$/.test(text.trim()),
    repetition: repetitionOf(sentences),
  };
}

/** Whether a text has the attribute: polite and not rude; ends happily; about cats alone. */
export function hasAttribute(name: AttributeName, text: string): boolean {
  const measured = attributes(text);
  switch (name) {
    case 'polite':
      return measured.tone === 'polite';
    case 'happy':
      return measured.ended && measured.ending === 'happy';
    case 'cats':
      return measured.cats > 0 && measured.otherAnimals === 0;
  }
}

/** How clearly the attribute is there: −1 the opposite, 0 neither, up to 1.25. */
function presence(name: AttributeName, measured: TextAttributes): number {
  switch (name) {
    case 'polite':
      if (measured.tone === 'rude') return -1;
      return measured.polite === 0 ? 0 : 1 + 0.25 * Number(measured.polite > 1);
    case 'happy':
      return { happy: 1.25, open: 0, sad: -1 }[measured.ending];
    case 'cats':
      if (measured.cats === 0) return measured.otherAnimals > 0 ? -1 : -0.5;
      return measured.otherAnimals > 0 ? 0 : 1.25;
  }
}

/**
 * Hidden gold score of a completion in [−1, 2]: the attribute (−1 … 1.25), plus form (0.5 for an
 * ended text, −0.5 for one that was cut, less for repetition), minus up to 1 for rambling. An empty
 * completion scores −1.
 * @param finish 'length' when the token limit cut the completion, which no rule can see in the text
 */
export function gold(
  name: AttributeName,
  completion: string,
  finish: 'eos' | 'length' = 'eos',
): number {
  const measured = attributes(completion);
  if (measured.words === 0) return -1;
  const ended = measured.ended && finish === 'eos';
  const form = (ended ? 0.5 : -0.5) - 2 * measured.repetition;
  // Stories need room: they ramble at twice the length of an answer.
  const room = name === 'happy' ? 2 * RAMBLING_WORDS : RAMBLING_WORDS;
  const rambling = Math.min(1, Math.max(0, measured.words - room + 4) / 16);
  return Math.min(2, Math.max(-1, presence(name, measured) + form - rambling));
}
