/** docs/base-models.md: what is measured, and one section for each model. */
import { wilson, type Share } from './measures';

/** One line of a model's table. */
export interface Row {
  measure: string;
  /** What is aimed at, in words; null where the number is only reported. */
  goal: string | null;
  measured: string;
  reached: boolean | null;
  /** The same measure on the generator's own texts; null where it makes no sense. */
  corpus: string | null;
}

export interface ModelReport {
  id: string;
  label: string;
  /** Sentences about model, corpus, machine and counts. */
  facts: readonly string[];
  rows: readonly Row[];
  /** After SFT on each bundled set: name and shares by check. */
  answers: readonly AnswerRow[];
  samples: readonly { text: string; ended: boolean }[];
}

export interface AnswerRow {
  demo: string;
  inFormat: Share;
  goal: number;
  checks: Readonly<Record<'ended' | 'notEmpty' | 'noEcho' | 'spelled' | 'attribute', Share>>;
}

export const percent = ({ count, of }: Share): string =>
  of === 0 ? 'none' : `${((100 * count) / of).toFixed(1)} %`;

/** `96.3 % (94.5–97.6)`: the share and its 95 % interval. */
export function withInterval(share: Share): string {
  if (share.of === 0) return 'none to count';
  const [low, high] = wilson(share).map((bound) => (100 * bound).toFixed(1));
  return `${percent(share)} (${low}–${high})`;
}

/** 0 of 0 reaches nothing: NaN compares false. */
export const atLeast = (share: Share, goal: number): boolean => share.count / share.of >= goal;
export const within = (share: Share, low: number, high: number): boolean =>
  atLeast(share, low) && share.count / share.of <= high;

const cell = (text: string): string => text.replaceAll('|', '\\|');
const table = (head: readonly string[], lines: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...lines]
    .map((cells) => `| ${cells.map(cell).join(' | ')} |`)
    .join('\n');
const yesNo = (reached: boolean | null): string =>
  reached === null ? '–' : reached ? 'yes' : '**no**';

/** The section of one model, as Markdown. */
export function modelSection({ id, label, facts, rows, answers, samples }: ModelReport): string {
  return [
    `## ${id}`,
    [`${label}.`, ...facts].join(' '),
    table(
      ['measure', 'goal', 'measured', 'reached', "generator's texts"],
      rows.map((row) => [
        row.measure,
        row.goal ?? '–',
        row.measured,
        yesNo(row.reached),
        row.corpus ?? '–',
      ]),
    ),
    '### After SFT on the bundled demonstrations',
    table(
      [
        'demonstrations',
        'goal',
        'in the format',
        'reached',
        'ended',
        'not empty',
        'no echo',
        'known words',
        'attribute',
      ],
      answers.map(({ demo, inFormat, goal, checks }) => [
        demo,
        `≥ ${100 * goal} %`,
        withInterval(inFormat),
        yesNo(atLeast(inFormat, goal)),
        percent(checks.ended),
        percent(checks.notEmpty),
        percent(checks.noEcho),
        percent(checks.spelled),
        percent(checks.attribute),
      ]),
    ),
    `### Samples\n\nThe first ${samples.length} of seed 1, none left out; \` / \` stands for a line break, \`…\` for one that was cut.`,
    ['```text', ...samples.map(sampleLine), '```'].join('\n'),
  ].join('\n\n');
}

function sampleLine({ text, ended }: { text: string; ended: boolean }, i: number): string {
  return `${String(i + 1).padStart(2)}  ${text.replaceAll('\n', ' / ')}${ended ? '' : ' …'}`;
}

const SECTION = /^## (\S+)$/m;

/**
 * The document with the sections of `sections` (by model id) put in, replacing older ones of these
 * models; sections of other models stay as they are, in the order of `order`.
 */
export function mergeSections(
  intro: string,
  written: string,
  sections: ReadonlyMap<string, string>,
  order: readonly string[],
): string {
  const all = new Map<string, string>();
  for (const section of written.split(/^(?=## )/m)) {
    const id = SECTION.exec(section)?.[1];
    if (id !== undefined) all.set(id, section.trim());
  }
  for (const [id, section] of sections) all.set(id, section);
  const kept = order.flatMap((id) => all.get(id) ?? []);
  return `${[intro, ...kept].join('\n\n')}\n`;
}
