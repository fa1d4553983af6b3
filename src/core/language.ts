/** Which of the two languages of the corpus a text is in, by its commonest words. */
import type { Language } from './saltby-world';

const COMMON: Readonly<Record<Language, RegExp>> = {
  en: /(?<!\p{L})(?:the|and|is|are|was|were|it|of|to|in|on|at|you|he|she|they|with|that|this|for|not|do|does|can|what|who|where|how|his|her|has|had|will|would|if|tell|about|which|there|so|stands|prints|my|your|i|please|thanks|yes|hello|says|asks)(?!\p{L})/giu,
  es: /(?<!\p{L})(?:el|la|los|las|un|una|unos|unas|y|e|es|son|está|están|era|fue|que|de|del|al|en|con|por|para|se|lo|le|su|sus|mi|tu|te|me|hay|cómo|qué|quién|dónde|cuando|muy|pero|más|como|vale|escribe|así|gracias|hola|sí|dice|pregunta|cuéntame|nadie|ya|otra|vez)(?!\p{L})/giu,
};

/** `en` or `es`; a text with words of neither (a name, a number, program text) counts as `en`. */
export function language(text: string): Language {
  const count = (pattern: RegExp): number => text.match(pattern)?.length ?? 0;
  const spanish = count(COMMON.es) + 2 * count(/[ñ¿¡áéíóú]/giu);
  return spanish > count(COMMON.en) ? 'es' : 'en';
}
