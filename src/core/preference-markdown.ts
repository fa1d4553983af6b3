/** The preference card as a text that people read: PREFERENCES.md in every export. */
import { NO_GROUP } from './agreement-report';
import type { Estimate } from './bootstrap';
import { groupBy } from './group-by';
import { ATTRIBUTE_WORDS } from './judgement';
import { markdownText } from './markdown-text';
import type { SimulatedValues } from './people';
import type { PreferenceCard } from './preference-card';

/** 0.726 → 73 %. */
const share = (x: number | null): string => (x === null ? 'not known' : `${Math.round(100 * x)} %`);
const plain = (x: number | null): string => (x === null ? 'not known' : x.toFixed(2));

/** 71 % (64 % to 78 %; 120 pairs). */
function withRange(
  { value, low, high, count }: Estimate,
  show: (x: number | null) => string,
  unit: string,
): string {
  if (value === null) return 'not known';
  const range = low === null || high === null ? '' : `${show(low)} to ${show(high)}; `;
  return `${show(value)} (${range}${Math.round(count)} ${unit})`;
}

const counted = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`;

/** What a rule values, as far as its profile says so. */
const valueWords = (values: SimulatedValues | null): string[] =>
  values === null
    ? []
    : [
        `likes answers that are ${ATTRIBUTE_WORDS[values.attribute]}`,
        `noise ${values.noise}`,
        ...(values.harm_aversion === 0 ? [] : [`minds harm by ${values.harm_aversion}`]),
        ...(values.length_bias === 0 ? [] : [`taste for length ${values.length_bias}`]),
      ];

/** A clock may have been wrong by any amount, and a file may say anything. */
const day = (ms: number): string => {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? 'an unknown day' : date.toISOString().slice(0, 10);
};

/** A line of the card: what, and how it is. */
export interface CardLine {
  label: string;
  text: string;
}
export interface CardSection {
  title: string;
  lines: CardLine[];
}

/** The card in words, without its guidelines and limits: page and Markdown show the same. */
export function cardSections(card: PreferenceCard): CardSection[] {
  const { people, simulated, harm, rewardModel, heldOut, exposure } = card;
  const line = (label: string, text: string | number): CardLine => ({ label, text: String(text) });
  const flagged = harm.byPeople + harm.byLexicon;
  return [
    {
      title: 'Who ranked',
      lines: [
        line('People', `${people.labelers}, ${people.consented} of them agreed to its use`),
        ...people.groups.map(({ name, labelers, rankings }) =>
          line(
            name === NO_GROUP ? 'Without a group' : `Group ${name}`,
            `${labelers} ${labelers === 1 ? 'person' : 'people'}, ${counted(rankings, 'ranking')}`,
          ),
        ),
        line(
          'Simulated labelers',
          simulated.labelers.length === 0
            ? 'none'
            : simulated.labelers
                .map(
                  ({ code, rankings, values }) =>
                    `${code} (${[counted(rankings, 'ranking'), ...valueWords(values)].join(', ')})`,
                )
                .join('; '),
        ),
      ],
    },
    {
      title: 'How much, and when',
      lines: [
        line('Rankings by people', countsText(people)),
        line('Rankings by rules', countsText(simulated)),
        line('Brought in from', counted(card.importedFiles, 'file')),
        line('Project', `made ${day(card.from)}, last changed ${day(card.to)}`),
      ],
    },
    {
      title: 'How far people agree',
      lines:
        people.agreement === null
          ? [line('Agreement', 'not known: no set was ranked by two people')]
          : [
              line('Pairwise agreement', withRange(people.agreement.pairwise, share, 'pairs')),
              line('Kendall’s W', withRange(people.agreement.kendallW, plain, 'sets')),
              line('Krippendorff’s α, ordinal', withRange(people.agreement.alpha, plain, 'sets')),
              line(
                'Labelers with themselves',
                withRange(people.agreement.selfConsistency, share, 'pairs'),
              ),
              ...people.agreementByGroup
                .filter(({ pairwise }) => pairwise.value !== null && people.groups.length > 1)
                .map(({ groups: [a, b], pairwise }) =>
                  line(
                    a === b ? `Within ${a}` : `${a} and ${b}`,
                    withRange(pairwise, share, 'pairs'),
                  ),
                ),
            ],
    },
    ...(simulated.agreement === null
      ? []
      : [
          {
            title: 'How far simulated labelers agree',
            lines: [
              line('Pairwise agreement', withRange(simulated.agreement.pairwise, share, 'pairs')),
            ],
          },
        ]),
    {
      title: 'Harmful outputs',
      lines: [
        line(
          'Share in the reward model’s data',
          harm.outputs === 0
            ? 'not known'
            : `${((100 * flagged) / harm.outputs).toFixed(1)} % of ${harm.outputs} outputs`,
        ),
        line('Flagged by people', harm.byPeople),
        line('Only by the word list', harm.byLexicon),
        line('Comparisons of harmful with harmless', harm.comparisons),
        line(
          'Read by labelers',
          exposure.texts === 0
            ? 'none noted'
            : `${exposure.texts} harmful texts by ${exposure.labelers} labelers on ${exposure.days} labeler-days, at most ${exposure.most} in a day`,
        ),
      ],
    },
    {
      title: 'Reward model',
      lines: [
        line(
          'Accuracy on held-out rankings',
          rewardModel.accuracy === null
            ? 'not known'
            : `${share(rewardModel.accuracy)} of ${rewardModel.pairs ?? 0} comparisons`,
        ),
        ...[...groupBy(rewardModel.byGroup, ({ trainedOn }) => trainedOn)].map(([name, own]) =>
          line(
            `Trained on ${name}`,
            own
              .map(
                ({ judgedBy, accuracy, low, high, pairs }) =>
                  `judged by ${judgedBy} ${withRange({ value: accuracy, low, high, count: pairs }, share, 'comparisons')}`,
              )
              .join(', '),
          ),
        ),
        line(
          'Held out',
          [
            heldOut.rankings === null
              ? 'no rankings'
              : `${share(heldOut.rankings)} of the rankings`,
            `${heldOut.demonstrations} demonstrations`,
            `${heldOut.labelersLeftOut} labelers left out`,
            `${heldOut.labelersWeighted} weighted`,
          ].join(', '),
        ),
      ],
    },
  ];
}

function countsText(counts: PreferenceCard['people'] | PreferenceCard['simulated']): string {
  const { rankings, ranked, allBad, skipped, repeats, unsure } = counts;
  if (rankings === 0) return 'none';
  const parts = [
    `${ranked} with an order`,
    `${allBad} all bad`,
    `${skipped} skipped`,
    `${repeats} silent repeats`,
    `${unsure} unsure`,
  ];
  return `${rankings}: ${parts.join(', ')}`;
}

/** One line in which no sign of Markdown or HTML means anything, and most signs stay as they are. */
const oneLine = (text: string): string =>
  text.replace(/\s+/gu, ' ').replace(/[\\`*_[\]<>|&#~$]/g, '\\$&');

/** PREFERENCES.md. */
export function preferenceMarkdown(card: PreferenceCard): string {
  return [
    `# Whose preferences: ${markdownText(card.project)}`,
    '',
    'Who ranked the answers that the models of this project learned from, how far they agree, and what',
    'cannot be concluded from it. Ranges hold 95 % of redrawn prompts.',
    '',
    ...cardSections(card).flatMap(({ title, lines }) => [
      `## ${title}`,
      '',
      ...lines.map(({ label, text }) => `- ${oneLine(label)}: ${oneLine(text)}`),
      '',
    ]),
    '## Guidelines',
    '',
    ...card.guidelines.flatMap(({ version, text, rankings }) => [
      `Version ${version}, ${rankings} rankings:`,
      '',
      ...text.split(/\r\n?|\n/).map((words) => `> ${markdownText(words)}`.trimEnd()),
      '',
    ]),
    ...(card.withoutGuideline === 0
      ? []
      : [`${card.withoutGuideline} rankings name no guideline.`, '']),
    '## Limits',
    '',
    ...card.limits.map((limit) => `- ${oneLine(limit)}`),
    '',
  ].join('\n');
}

/** What stands beside an export, by path: the card for people and for programs. */
export const preferenceFiles = (card: PreferenceCard): [path: string, text: string][] => [
  ['PREFERENCES.md', preferenceMarkdown(card)],
  ['preferences.json', `${JSON.stringify(card, null, 2)}\n`],
];
