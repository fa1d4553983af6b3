/** Rankings for preference trainers, in a zip with the card that says whose they are. */
import { strToU8, zipSync } from 'fflate';
import type { Ranking } from '../core/domain';
import type { PreferenceCard } from '../core/preference-card';
import { preferenceFiles } from '../core/preference-markdown';
import { rankingsToKwise, rankingsToPairs } from './rankings';

/** `trl`: preference pairs. `kwise`: every ranking in full. */
export type RankingsFormat = 'trl' | 'kwise';

/** zip stores local time; a Date built from local parts reads the same everywhere. */
const NO_CLOCK = new Date(2000, 0, 1);

/** `pairs.jsonl` or `rankings.jsonl`, `PREFERENCES.md` and `preferences.json`. */
export function rankingsZip(
  rankings: readonly Ranking[],
  format: RankingsFormat,
  card: PreferenceCard,
): Blob {
  const data: [path: string, text: string] =
    format === 'trl'
      ? ['pairs.jsonl', rankingsToPairs(rankings)]
      : ['rankings.jsonl', rankingsToKwise(rankings)];
  const files = Object.fromEntries(
    [data, ...preferenceFiles(card)].map(([path, text]) => [path, strToU8(text)]),
  );
  return new Blob([zipSync(files, { mtime: NO_CLOCK })], { type: 'application/zip' });
}
