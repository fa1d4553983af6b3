/** docs/preferences.md from the kept runs. */
import type { Estimate } from '../../src/core/bootstrap';
import { ATTRIBUTE_WORDS } from '../../src/core/judgement';
import { HARM_EXPOSURES, type HarmDialRun } from '../../src/core/experiments';
import { needsInWords, rankingsNeeded } from '../../src/core/learning-needs';
import { mean, withInterval } from '../learn/interval';
import type { ExperimentKind, PreferenceResult, ResultOf } from './result';

const INTRO = `# Whose preferences?

Written by \`npm run bench:preferences\`: the three experiments of the page's stage *Whose preferences*, as
its buttons run them, on an SFT model of the task *polite*. **All labelers here are simulated**: rules with
noise, whose values are stated. "Harmful" means mild rudeness of the model's small world ("turnip", "go away"),
found by a list of words: a stand-in, so that nobody has to read worse. ± is half of the 95 % interval over
the seeds (Student's t).

**Limits.** One small base model and one task. The same list of words says what is harmful in the comparisons and
in the answers, so it is blind to the same things in both. Rules are not people: they never tire and never
change their minds. With so few seeds the intervals are wide; read the direction, not the digits.
`;

/** Everything that has been measured. */
export function preferencesReport(results: readonly PreferenceResult[]): string {
  const of = <K extends ExperimentKind>(kind: K): ResultOf<K>[] =>
    results.filter((one): one is ResultOf<K> => one.experiment === kind);
  const [harm, electorate, pairs] = [of('harm'), of('electorate'), of('pairs')];
  return [
    INTRO,
    ...(harm.length > 0 ? [harmSection(harm)] : []),
    ...(electorate.length > 0 ? [electorateSection(electorate)] : []),
    ...(pairs.length > 0 ? [pairsSection(pairs)] : []),
  ].join('\n');
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly string[][]): string =>
  [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
const measuredOn = (results: readonly PreferenceResult[]): string => {
  const { base, engine, date } = results.at(-1)!;
  const seconds = results.map((one) => one.seconds);
  return `${base}, ${results.length} ${results.length === 1 ? 'seed' : 'seeds'}, ${engine}; measured until ${date}, about ${Math.round(mean(seconds) / 60)} min for a seed.`;
};

function harmSection(results: readonly ResultOf<'harm'>[]): string {
  const runs = results.flatMap(({ record }) => record.runs);
  const { values, ppoIterations, answers } = results[0]!.record;
  const comparisons = [...new Set(results.map(({ record }) => record.comparisons))].join(', ');
  const cell = (exposure: number, value: (run: HarmDialRun) => number, unit = ' %'): string =>
    withInterval(
      runs.filter((run) => run.exposure === exposure).map(value),
      unit === ' %' ? 100 : 1,
      unit === ' %' ? 0 : 1,
      unit,
    );
  const sum = (count: (record: ResultOf<'harm'>['record']) => number): number =>
    results.reduce((total, { record }) => total + count(record), 0);
  const rows = HARM_EXPOSURES.map((exposure) => [
    percent(exposure),
    cell(exposure, (run) => run.harmAccuracy),
    cell(exposure, (run) => run.harmlessAccuracy),
    cell(exposure, (run) => run.harmRate),
    cell(exposure, (run) => run.kl, ''),
  ]);
  const baseline = withInterval(
    results.flatMap(({ record }) => record.baseline),
    100,
    0,
    ' %',
  );
  return `## Harm-exposure dial

InstructGPT does not say what share of its reward model's data was toxic. What does that share do? Each reward
model reads as many comparisons (${comparisons}, by seed: as many as the pool allows); only the share of them that sets a harmful answer against a harmless one
differs. The labeler likes ${ATTRIBUTE_WORDS[values.attribute]} answers, minds harm by ${values.harm_aversion} and is unsure by ${values.noise} (in units of its score). PPO
follows each reward model for ${ppoIterations} iterations.

![Left, the reward model's held-out accuracy on harmful pairs against its exposure; right, the policy's share of harmful answers](figures/harm-dial.svg)

${table(
  [
    'harmful comparisons',
    'harmful pairs right',
    'harmless pairs right',
    'harmful answers after PPO',
    'KL, nats',
  ],
  rows,
)}

The SFT model by itself: ${baseline} harmful answers. ${sum((r) => r.harmPairs)} harmful and ${sum((r) => r.harmlessPairs)} harmless held-out pairs,
${answers} answers for each rate and seed. The pool held ${sum((r) => r.written)} harmful texts that the SFT model had written
and ${sum((r) => r.surrogates)} mild surrogates of ours. ${measuredOn(results)}
`;
}

function electorateSection(results: readonly ResultOf<'electorate'>[]): string {
  const [first] = results.map(({ record }) => record);
  const { models, judges, policies } = first!;
  const cells = (m: number, j: number): Estimate[] =>
    results.flatMap(({ record }) => record.models[m]?.accuracy?.[j] ?? []);
  const accuracy = (m: number, j: number): string => {
    const known = cells(m, j).flatMap(({ value }) => value ?? []);
    return known.length === 0 ? '–' : withInterval(known, 100, 0, ' %');
  };
  const trained = models.map(
    ({ name, rankings, comparisons }) => `${name} (${rankings} rankings, ${comparisons} pairs)`,
  );
  const pairs = (j: number): number =>
    results.reduce((sum, { record }) => sum + (record.judges[j]?.pairs ?? 0), 0);
  const matrix = table(
    ['trained on ↓ judged by →', ...judges.map(({ name }, j) => `${name} (${pairs(j)} pairs)`)],
    models.map((_, m) => [trained[m]!, ...judges.map((_, j) => accuracy(m, j))]),
  );
  const share = (p: number, value: (policy: NonNullable<typeof policies>[number]) => number) =>
    results.flatMap(({ record }) => (record.policies?.[p] ? [value(record.policies[p])] : []));
  const policyTable =
    policies === null
      ? ''
      : table(
          [
            'policy ↓ judge →',
            ...models.filter((m) => m.accuracy !== null).map(({ name }) => name),
            'polite',
            'harmful words',
            'KL, nats',
          ],
          policies.map(({ name, scores }, p) => [
            name,
            ...scores.map((_, j) =>
              withInterval(
                share(p, (x) => x.scores[j]!),
                1,
                2,
                '',
              ),
            ),
            withInterval(
              share(p, (x) => x.attributes.polite),
              100,
              0,
              ' %',
            ),
            withInterval(
              share(p, (x) => x.flagged),
              100,
              0,
              ' %',
            ),
            withInterval(
              share(p, (x) => x.kl),
              1,
              1,
              '',
            ),
          ]),
        );
  const shown = first!.shownPrompts
    .map((prompt, i) =>
      [prompt, ...policies!.map(({ name, shown }) => `  ${name.padEnd(10)} ${shown[i]}`)].join(
        '\n',
      ),
    )
    .join('\n');
  const changed = results.map(({ record }) => `${record.changedSets} of ${record.sets}`).join(', ');
  return `## Swap the electorate

Three simulated groups rank the same completions: *kind* likes politeness and minds rudeness, *cheeky* likes
rudeness better than anything, and *brief* wants few words. *brief* is small on purpose.

${matrix}

Share of held-out pairs that a reward model orders as the judges did; chance is 50 %, and the labelers' own noise
keeps even a perfect model below 100 %. The same prompts are held out from all; numbers in the left column are
those of seed ${results[0]!.seed}. Held-out sets with another best completion depending on who trained the model, by seed: ${changed}.

${first!.warnings.map((warning) => `> ${warning}`).join('\n>\n')}

${policies === null ? '' : `After ${first!.ppoIterations} iterations of PPO, each policy under each electorate's reward model (0 is the average demonstration):\n\n${policyTable}\n\nFirst answers, not chosen (seed ${results[0]!.seed}):\n\n\`\`\`text\n${shown}\n\`\`\`\n`}
${measuredOn(results)}
`;
}

function pairsSection(results: readonly ResultOf<'pairs'>[]): string {
  const points = results.flatMap(({ record }) => record.points);
  const sizes = [...new Set(points.map(({ rankings }) => rankings))].sort((a, b) => a - b);
  const at = (choice: string, size: number): string =>
    withInterval(
      points
        .filter((point) => point.choice === choice && point.rankings === size)
        .map(({ accuracy }) => accuracy),
      100,
      0,
      ' %',
    );
  const needs = rankingsNeeded(points);
  const { pool } = results[0]!.record;
  return `## Ask me the right pair

A simulated labeler ranks sets of 4 from a pool of ${pool}: those about which four reward models disagree most, or any.
Held-out pairs right, by the labeler's rule without noise:

${table(
  ['rankings', 'chosen by disagreement', 'chosen by chance'],
  sizes.map((size) => [String(size), at('disagreement', size), at('random', size)]),
)}

${needs === null ? '' : needsInWords(needs)} ${measuredOn(results)}
`;
}
