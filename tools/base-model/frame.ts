/** Frames an exchange as prose or as unmarked dialogue, never as a chat template. */
import type { Language } from '../../src/core/saltby-world';
import type { Draw } from './draw';

const ASKS = { en: 'asks', es: 'pregunta' };
const SAYS = { en: 'says', es: 'dice' };

/** `opener`: how the first line is spoken; nano calls every request a question. */
export function frame(
  draw: Draw,
  { prompt, completion }: { prompt: string; completion: string },
  names: readonly string[],
  language: Language = 'en',
  opener: 'asks' | 'by its mark' = 'asks',
): string {
  const asker = draw.pick(names);
  const answerer = draw.other(names, asker);
  const form = draw.weighted({ prose: 35, lines: 45, names: 20 });
  const asks = (opener === 'asks' || prompt.endsWith('?') ? ASKS : SAYS)[language];
  const says = SAYS[language];
  if (form === 'lines') return `${prompt}\n${completion}`;
  if (form === 'names') return `${asker}: ${prompt}\n${answerer}: ${completion}`;
  // Quotation marks do not nest: an answer that quotes someone is reported on lines of its own.
  if (completion.includes('"')) {
    return `${asker} ${asks}:\n${prompt}\n${answerer} ${says}:\n${completion}`;
  }
  return `${asker} ${asks}: "${prompt}" ${answerer} ${says}: "${completion}"`;
}
