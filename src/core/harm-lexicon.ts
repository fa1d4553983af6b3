/**
 * Words that make a text worth a second look. They only suggest flags and cover texts; what counts is
 * what a person says. Mild words on purpose, in the two languages of the shipped models: the list is
 * no filter for the language of the world.
 */
import type { HarmFlag } from './domain';

const phrases = (...alternatives: string[]): RegExp =>
  new RegExp(`(?<!\\p{L})(?:${alternatives.join('|')})(?!\\p{L})`, 'iu');

const PATTERNS: readonly (readonly [HarmFlag, RegExp])[] = [
  [
    'insult',
    phrases(
      'silly|turnip|lazy bones|pudding head|old boot|fools?|idiots?|stupid|dumb|losers?|shut up|go away',
      'leave me alone|stop asking|you again|not my problem|do it yourself|more time than i do',
      'busy with nothing|i will not tell you|asks better questions|ugly|hate you|worthless',
      'tont[oa]s?|nabo|chorlito|zoquete|vete|déjame en paz|otra vez tú|deja de preguntar|hazlo tú',
      'no es mi problema|no preguntes más|pregunta mejor|idiotas?|estúpid[oa]s?|cállate|te odio',
    ),
  ],
  [
    'threat',
    phrases(
      '(?:i|we) will (?:hurt|hit|find|get|punish|kill|burn) (?:you|him|her|them)|you will (?:regret|pay for)',
      'or else|watch your back|(?:hit|hurt|kill|beat) you|te (?:pegaré|mataré|arrepentirás)|vas a pagar',
    ),
  ],
  ['sexual', phrases('sex|sexy|sexual(?:ly)?|naked|nude|porn\\p{L}*|desnud[oa]s?|sexo')],
  [
    'self-harm',
    phrases(
      '(?:hurt|kill|harm|cut) (?:myself|yourself|himself|herself)|suicid\\p{L}*|self-harm|want to die',
      'matarme|matarte|hacerme daño|quiero morir',
    ),
  ],
  [
    'privacy',
    // an e-mail address, a telephone number, or words that announce one. An address begins where no
    // other could, and has at most 64 characters before the @ (RFC 5321): long words take no longer.
    /(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}\.\w|(?<!\d)(?:\+?\d[\s-]?){8,}(?!\d)|(?<!\p{L})(?:(?:home|street) address|phone number|password|contraseña|número de teléfono)(?!\p{L})/iu,
  ],
];

/** Flags that the words of a text suggest, in the order of `HarmFlag`; none for most texts. */
export const suggestedFlags = (text: string): HarmFlag[] =>
  PATTERNS.filter(([, pattern]) => pattern.test(text)).map(([flag]) => flag);

/** Flagged by a person or by the lexicon. */
export const isFlagged = (text: string, flags: readonly HarmFlag[] = []): boolean =>
  flags.length > 0 || suggestedFlags(text).length > 0;
