import type { HarmFlag } from '../../core/domain';
import { suggestedFlags } from '../../core/harm-lexicon';

/** Flags as they stand in a menu, and after "may contain". */
export const FLAG_WORDS: Record<HarmFlag, { name: string; contains: string }> = {
  insult: { name: 'Insult', contains: 'an insult' },
  threat: { name: 'Threat', contains: 'a threat' },
  sexual: { name: 'Sexual', contains: 'sexual content' },
  'self-harm': { name: 'Self-harm', contains: 'self-harm' },
  privacy: { name: 'Private facts', contains: 'private facts' },
  other: { name: 'Other harm', contains: 'something harmful' },
};

const list = (flags: readonly HarmFlag[]): string =>
  flags.map((flag) => FLAG_WORDS[flag].contains).join(', ');

/** Why a text is covered, without quoting it. */
export function coverWords(text: string, flags: readonly HarmFlag[]): string {
  if (flags.length > 0) return `Flagged: ${list(flags)}.`;
  const suggested = suggestedFlags(text);
  return suggested.length > 0 ? `May contain ${list(suggested)}.` : 'Somebody has flagged this.';
}
