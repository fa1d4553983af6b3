/** Agreement in words: what a number means, and when there is too little to say. */
import type { AgreementReport } from '../../../core/agreement-report';
import type { Estimate } from '../../../core/bootstrap';
import { plural } from '../../parts/format';

export interface Measure {
  key: 'pairwise' | 'selfConsistency' | 'kendallW' | 'alpha';
  label: string;
  meaning: string;
  /** Shown in per cent. */
  share: boolean;
  /** What its count counts. */
  unit: string;
}

export const MEASURES: readonly Measure[] = [
  {
    key: 'pairwise',
    label: 'Pairwise agreement',
    meaning:
      'Two labelers, two completions, both have a preference: how often is it the same? 50 % is chance. Ties are left out.',
    share: true,
    unit: 'pair',
  },
  {
    key: 'selfConsistency',
    label: 'With themselves',
    meaning:
      'The same for one labeler who gets a set twice without being told. Nobody can agree with others more than with themselves.',
    share: true,
    unit: 'pair',
  },
  {
    key: 'kendallW',
    label: 'Kendall’s W',
    meaning:
      'How alike whole orders are, set by set: 1 is one order for all, 0 none in common. Chance is above 0: about one divided by the number of labelers.',
    share: false,
    unit: 'set',
  },
  {
    key: 'alpha',
    label: 'Krippendorff’s α',
    meaning:
      'Agreement on ranks beyond chance: 1 is perfect, 0 is chance, below 0 is contradiction. Content analysts ask for 0.8, or 0.67 for a first guess; taste seldom gets there.',
    share: false,
    unit: 'set',
  },
];

/** 71 %, 64 to 78 %, 120 pairs. */
export function estimateWords(
  { value, low, high, count }: Estimate,
  share: boolean,
  unit: string,
): string {
  if (value === null) return 'too little to say';
  const show = (x: number): string => (share ? String(Math.round(100 * x)) : x.toFixed(2));
  const sign = share ? ' %' : '';
  const range = low === null || high === null ? '' : `, ${show(low)} to ${show(high)}${sign}`;
  return `${show(value)}${sign}${range} (${plural(Math.round(count), unit)})`;
}

/** Below this many shared sets an interval is wider than anything it could tell. */
const FEW_SETS = 10;

/** Two tastes: labelers of one group agree, those of different groups less, beyond the ranges of both. */
function groupsApart({ groups, byGroup }: AgreementReport): string | null {
  for (const [a, name] of groups.entries()) {
    for (const [b, other] of groups.entries()) {
      if (b <= a) continue;
      const [own, theirs, across] = [byGroup[a]![a]!, byGroup[b]![b]!, byGroup[a]![b]!];
      const low = Math.min(own.low ?? 0, theirs.low ?? 0);
      if (across.value === null || across.high === null || across.high >= low) continue;
      return `${name} and ${other} agree within themselves and less with each other (${Math.round(100 * across.value)} %): two tastes.`;
    }
  }
  return null;
}

/** The agreement of people in a sentence or two. */
export function agreementVerdict(report: AgreementReport): string {
  const { labelers, sharedSets, pairwise, selfConsistency } = report;
  if (labelers.length === 0) return 'No person has ranked yet.';
  if (labelers.length === 1 || sharedSets === 0 || pairwise.value === null) {
    return labelers.length === 1
      ? 'One person has ranked. Agreement needs a second one who ranks the same sets.'
      : 'No set has been ranked by two people. Give the same sets to several people.';
  }
  const percent = (x: number): string => `${Math.round(100 * x)} %`;
  const said = `Two people prefer the same completion in ${percent(pairwise.value)} of the pairs that both decide.`;
  if (sharedSets < FEW_SETS) {
    return `${said} That rests on ${plural(sharedSets, 'set')}: too little to say much.`;
  }
  const apart = groupsApart(report);
  if (apart !== null) return `${said} ${apart}`;
  if (pairwise.low !== null && pairwise.low <= 0.5 && (pairwise.high ?? 1) >= 0.5) {
    return `${said} That cannot be told from chance: a reward model would learn from noise, or from two tastes that cancel out. Look at the groups.`;
  }
  const own = selfConsistency.value;
  return own === null
    ? said
    : `${said} They agree with themselves in ${percent(own)}, which is the most that anyone could agree with them.`;
}
