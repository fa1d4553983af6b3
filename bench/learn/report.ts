/** docs/learning.md from the kept runs. */
import { mean, withInterval } from './interval';
import type { LearnResult } from './result';

const GOALS = { rate: 0.8, kl: 15, distinct2: 0.7 } as const;

const INTRO = `# Does it learn?

Written by \`npm run bench:learn\`: the whole loop from a shipped base model to a PPO policy, on the three
bundled tasks, at the default settings but for what a heading names. Nothing but the seed differs between the runs of a row.

- **Labeler**: a rule with noise (Bradley–Terry), set for each run so that the labeler agrees with itself
  on the share of pairs that the heading says, as InstructGPT's labelers agree with each other on
  72.6 ± 1.5 %.
- **Reward model, held out**: share of the pairs of held-out rankings that it orders as the labeler did.
  They are as noisy as those it was trained on. **True**: the same by the rule without noise, on prompts that
  neither rankings nor demonstrations know.
- **Attribute rate**: share of answers to the 12 held-out prompts (16 each, temperature 1) that have what the
  rankings asked for, by the rule. **KL** to the SFT model and **distinct-2** (as a share of the SFT model's)
  on the same answers.
- **Selection**: distinct-2 of those of the SFT model's own answers that have the attribute, as a share of as
  many answers of any kind. A policy with a rate of 100 % that changed nothing else would be there: whoever
  asks for one thing only gets less variety, and a distinct-2 far above this means a rate far from 100 %.
- Mean over the seeds ± half of the 95 % interval (Student's t). One run has no interval.
`;

/** Everything, one section for each base and set of changes. */
export function learningReport(results: readonly LearnResult[]): string {
  const titles = [...new Set(results.map(titleOf))];
  const sections = titles.map((title) =>
    section(
      title,
      results.filter((run) => titleOf(run) === title),
    ),
  );
  return [INTRO, ...sections].join('\n');
}

const titleOf = ({ base, changes }: LearnResult): string => `${base}, ${changes}`;

const HEAD = [
  'task',
  'reward model, held out',
  'true',
  'attribute rate, SFT',
  'PPO (goal ≥ 80 %)',
  'KL (≤ 15 nats)',
  'distinct-2 (≥ 70 %)',
  'selection',
  'reached',
  'time',
];

function section(title: string, runs: readonly LearnResult[]): string {
  const { engine, date } = runs.at(-1)!;
  const tasks = [...new Set(runs.map(({ task }) => task))];
  const rows = tasks.map((task) => taskRow(runs.filter((run) => run.task === task)));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const table = [line(HEAD), line(HEAD.map(() => '---')), ...rows.map(line)].join('\n');
  const shown = tasks.map((task) => answers(runs.find((run) => run.task === task)!));
  return [
    `## ${title}`,
    `Measured until ${date}; ${engine}.`,
    table,
    'The first answers of the first runs, not chosen:',
    `\`\`\`text\n${shown.join('\n')}\n\`\`\`\n`,
  ].join('\n\n');
}

function taskRow(runs: readonly LearnResult[]): string[] {
  const values = (value: (run: LearnResult) => number) => runs.map(value);
  const share = (value: (run: LearnResult) => number) => withInterval(values(value), 100, 0, ' %');
  const diversity = ({ ppo }: LearnResult) => ppo.after.distinct2 / ppo.before.distinct2;
  const rate = ({ ppo }: LearnResult) => ppo.after.rate;
  const kl = ({ ppo }: LearnResult) => ppo.after.kl;
  const reached =
    mean(values(rate)) >= GOALS.rate &&
    mean(values(kl)) <= GOALS.kl &&
    mean(values(diversity)) >= GOALS.distinct2;
  return [
    `${runs[0]!.task} (${runs.length} ${runs.length === 1 ? 'seed' : 'seeds'})`,
    share(({ reward }) => reward.accuracy),
    share(({ reward }) => reward.trueAccuracy),
    share(({ ppo }) => ppo.before.rate),
    share(rate),
    withInterval(values(kl), 1, 1, ''),
    share(diversity),
    share(({ ppo }) => ppo.selected.distinct2),
    reached ? 'yes' : '**no**',
    withInterval(
      values(({ seconds }) => seconds / 60),
      1,
      1,
      ' min',
    ),
  ];
}

function answers({ task, seed, ppo }: LearnResult): string {
  const oneLine = (text: string): string => text.replaceAll('\n', ' / ');
  return ppo.after.shown
    .map(({ prompt, text }, i) =>
      [
        `${task}, seed ${seed}: ${prompt}`,
        `  SFT  ${oneLine(ppo.before.shown[i]!.text)}`,
        `  PPO  ${oneLine(text)}`,
      ].join('\n'),
    )
    .join('\n');
}
