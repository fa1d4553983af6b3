/** docs/trl.md from the kept runs. */
import { mean } from '../learn/interval';
import { compare, curvesOf, deviation, verdict, WINDOW, type Comparison } from './compare';
import type { Iteration, Run, Side, TrlResults } from './result';
import { ADAM_EPSILON, SHARED, START } from './settings';

const DIFFERENCES = `## What still differs

The same models, prompts and settings; what is left is what the two programs do differently.

- **Place of the score.** TRL adds the score one place after the end token, where its value model is
  asked once more; a completion that never ended gets it on its last token. Ours is on the last token
  always. TRL's value loss counts that place too.
- **Optimizer.** TRL holds policy and value model in one AdamW, ours in two. Without clipping each
  parameter moves alike: Adam works number by number, and the value loss has the same weight.
- **Old log-probabilities.** TRL takes them from the logits of generation, ours are computed again by
  the code that trains.
- **Temperature.** TRL divides by temperature + 1e-7.
- **Order of prompts and sampled tokens.** Each side has its own random numbers: a seed means nothing
  across the two. TRL drops the prompts that do not fill the last batch of a pass, ours go into the next.
- **The reward model's bias.** \`LlamaForSequenceClassification\` has none. The exported
  \`reward_offset\` is put into the head of TRL's reward model and value model, so that both sides start
  from the same scores.
- **Arithmetic.** float32 on both; WebGPU kernels here, PyTorch on the CPU there.

Not compared because TRL's PPO has no such thing: warm-up and gradient clipping as the page has them by
default, replacing the score of an unfinished completion, the adaptive controller, averaging, PPO-ptx.
[parity.md](parity.md) holds the formulas themselves against TRL's, number by number.
`;

/** The number of seeds that was fixed before the first run. */
const PLANNED_SEEDS = 3;

/** The whole document. */
export function trlReport(results: TrlResults): string {
  const { date, engine, versions, agreement, accuracy, runs } = results;
  const most = Math.max(...runs.map(({ seed }) => seed));
  const planned = runs.filter(({ seed }) => seed <= PLANNED_SEEDS);
  return [
    '# Against TRL',
    `Written by \`npm run bench:trl\`. Our PPO and TRL's own \`PPOTrainer\`, unmodified, from the same
exported checkpoint, reward model and prompts, with the same settings: how much reward does each get
for the KL that it spends?`,
    '![Reward against KL for both, mean and spread over the seeds](figures/trl.svg)',
    `Thin lines are seeds, thick ones their means, bands ± one standard deviation. Each point is the mean of
${WINDOW} iterations in a row, of KL and of score. Score and KL are \`objective/scores\` and
\`objective/kl\`, measured on the rollouts of each iteration, before it learns from them.`,
    `## Verdict, ${PLANNED_SEEDS} seeds`,
    ...judged(planned),
    `Score at equal KL: mean ± standard deviation over the seeds. The difference has half of its 95 %
interval (Student's t). It holds where ours is not below TRL's by more than the spread, the standard deviation
between seeds, pooled over both sides. Levels are the whole KLs that every smoothed curve passes. This rule,
the settings and the number of seeds were fixed before any run had ended.`,
    ...(most > PLANNED_SEEDS
      ? [
          `## Verdict, ${most} seeds`,
          `Run afterwards, because three seeds leave a wide interval; nothing else was changed.`,
          ...judged(runs),
        ]
      : []),
    `## The last ${WINDOW} iterations`,
    `Mean ± standard deviation over ${most} seeds.`,
    endTable(runs),
    `Seconds are of software WebGPU or of whatever adapter is named below, against PyTorch on one CPU thread,
with other work on the machine: no comparison of speed.`,
    `## The same start

The page wrote ${agreement.answers} answers with the exported policy; Python read them again.

- Token ids that differ, of ${agreement.prompts} prompts through the exported chat template: ${agreement.ids}.
- Largest difference of Σ log π of an answer: ${agreement.logprob.toExponential(1)} nats.
- Largest difference of the reward model's score, by TRL's own \`get_reward\`: ${agreement.score.toExponential(1)}.`,
    DIFFERENCES,
    `## Settings

- **Models**: the shipped \`${START.base}\`, task \`${START.task}\`, seed ${START.seed}; SFT and reward model at the
  page's defaults, from ${START.rankings} rankings of ${START.K} by the simulated labeler (noise ${START.noise}, the
  demo's). The reward model orders ${(100 * accuracy).toFixed(0)} % of the held-out pairs as the labeler did.
- **PPO, both**: ${named(SHARED)}, adam_epsilon ${ADAM_EPSILON}, a constant learning rate, a fixed KL
  coefficient, no clipping of gradients or rewards. The penalty is subtracted where the end token is missing.
  The value model starts as the reward model.
- **Ours**: ${engine}. **TRL**: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.
- Measured on ${date}. Every iteration of every run: [figures/trl.json](figures/trl.json).`,
    `## Again

\`\`\`sh
sh tools/golden/rlhf/make.sh # makes .cache/golden/venv with the pinned torch, transformers and trl
npm run bench:trl -- --fresh --seeds ${most}
\`\`\`

\`--python PATH\` names another Python. Without \`--fresh\`, kept runs are not repeated.
`,
  ].join('\n\n');
}

/** The verdict in words, and its table. */
function judged(runs: readonly Run[]): string[] {
  const { levels, overall } = verdict(runs);
  if (overall === null) return ['No KL is reached by all runs.'];
  return [
    told(overall, levels),
    table(
      ['KL, nats', 'ours', 'TRL', 'ours − TRL', 'spread', 'holds'],
      [...levels.map((level) => row(String(level.kl), level)), row('mean', overall)],
    ),
  ];
}

function told(overall: Comparison, levels: readonly Comparison[]): string {
  const holding = levels.filter(({ holds }) => holds).length;
  const where = `${holding} of ${levels.length} KL levels`;
  const gap = `${signed(overall.gap)} ± ${overall.interval.toFixed(2)}`;
  return overall.holds && holding === levels.length
    ? `**Ours is on or above TRL's within the spread**, at ${where}; on average by ${gap}.`
    : overall.holds
      ? `**On average ours is on or above TRL's within the spread** (${gap}), but only at ${where}.`
      : `**Ours is below TRL's by more than the spread**: on average by ${gap}; it holds at ${where}.`;
}

function row(name: string, { ours, trl, gap, spread, interval, holds }: Comparison): string[] {
  return [
    name,
    spreadOf(ours),
    spreadOf(trl),
    `${signed(gap)} ± ${interval.toFixed(2)}`,
    spread.toFixed(2),
    holds ? 'yes' : '**no**',
  ];
}

function endTable(runs: readonly Run[]): string {
  const ends = (side: Side, value: (one: Iteration) => number) =>
    curvesOf(runs, side).map((curve) => mean(curve.slice(-WINDOW).map(value)));
  const batch = SHARED.rollout_batch_size;
  const line = (name: string, value: (one: Iteration) => number) => {
    const [ours, trl] = [ends('ours', value), ends('trl', value)];
    const { gap, interval } = compare(ours, trl);
    return [name, spreadOf(ours), spreadOf(trl), `${signed(gap)} ± ${interval.toFixed(2)}`];
  };
  const seconds = (side: Side) =>
    mean(runs.filter((run) => run.side === side).map((run) => run.seconds)).toFixed(0);
  return table(
    ['', 'ours', 'TRL', 'ours − TRL'],
    [
      line('score', ({ score }) => score),
      line('KL, nats', ({ kl }) => kl),
      line('score − β·KL', ({ score, kl }) => score - SHARED.kl_coef * kl),
      line('entropy of a completion, nats', ({ entropy }) => entropy),
      line('share that ended', ({ ended }) => ended / batch),
      ['seconds for a run', seconds('ours'), seconds('trl'), ''],
    ],
  );
}

function table(head: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const named = (settings: object): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');

function spreadOf(xs: readonly number[]): string {
  return xs.length === 1
    ? xs[0]!.toFixed(2)
    : `${mean(xs).toFixed(2)} ± ${deviation(xs).toFixed(2)}`;
}

const signed = (x: number): string => `${x < 0 ? '−' : '+'}${Math.abs(x).toFixed(2)}`;
