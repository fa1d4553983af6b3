/** docs/parity.md out of what the golden tests measured. */
import type { ParityRow } from './parity';

export interface MeasuredFile {
  /** Path of the test file, from the root of the repository. */
  file: string;
  rows: ParityRow[];
}

/** Numbers of the fixtures that the notes quote. */
export interface FixtureFacts {
  versions: { torch: string; transformers: string; trl: string };
  controllerVersion: string;
  /** Masked, as ours; over padding too, as TRL logs it. */
  approxkl: [number, number];
  ratio: [number, number];
  entropy: [number, number];
  /** Largest difference of a whitened advantage between both places for the score. */
  placement: number;
}

const SECTIONS = [
  ['tests/unit/rlhf/golden-advantage.test.ts', 'Rewards, returns, advantages'],
  ['tests/gpu/golden-ppo.test.ts', 'Log-probabilities, values, PPO losses and their gradients'],
  ['tests/gpu/golden-reward.test.ts', 'Reward losses and their gradients'],
  ['tests/gpu/golden-dpo.test.ts', 'DPO loss and its gradients'],
  ['tests/gpu/golden-adamw.test.ts', 'AdamW, clipping, averaged weights'],
  ['tests/unit/rlhf/golden-control.test.ts', 'KL controller, schedules, hand-checked numbers'],
  ['tests/gpu/golden-trajectories.test.ts', 'Training side by side'],
] as const;

/** The tests that measure. */
export const MEASURING_TESTS = SECTIONS.map(([file]) => file);

const number = (x: number) => (Number.isInteger(x) ? String(x) : String(Number(x.toPrecision(7))));
const small = (x: number | undefined) =>
  x === undefined ? '–' : x === 0 ? '0' : x.toExponential(1).replace('e-', 'e−');

/** A table of one section; the same quantity on several backends shares a line. */
function table(rows: readonly ParityRow[]): string[] {
  const lines = new Map<string, ParityRow[]>();
  for (const row of rows) {
    const key = `${row.quantity}|${row.source}`;
    lines.set(key, [...(lines.get(key) ?? []), row]);
  }
  const places: ParityRow['on'][] = (['host', 'webgpu', 'webgpu-shared', 'wasm'] as const).filter(
    (on) => rows.some((row) => row.on === on),
  );
  const heads = {
    host: 'TypeScript',
    webgpu: 'WebGPU',
    'webgpu-shared': 'WebGPU, shared memory',
    wasm: 'WASM',
  };
  return [
    `| Quantity | Numbers | Ours | Reference | ${places.map((on) => heads[on]).join(' | ')} | PyTorch f32 | Limit | Reference from |`,
    `| --- | --- | --- | --- | ${places.map(() => '---').join(' | ')} | --- | --- | --- |`,
    ...[...lines.values()].map((same) => {
      const main = same[0]!;
      const unit = main.absolute ? ' abs.' : '';
      const differences = places.map((on) => {
        const row = same.find((candidate) => candidate.on === on);
        return row === undefined ? '' : small(row.difference) + unit;
      });
      return `| ${[
        main.quantity,
        main.count,
        number(main.ours),
        number(main.reference),
        ...differences,
        small(main.float32),
        small(main.limit) + unit,
        main.source,
      ].join(' | ')} |`;
    }),
  ];
}

function notes(facts: FixtureFacts): string[] {
  return [
    '## Where TRL defines something else',
    '',
    'Equal formulas, other definitions. The tables above compare like with like; here is what differs',
    'by design when both train on the same data. Numbers are of the six episodes of the fixture.',
    '',
    '- **Place of the score.** TRL adds the score one place after EOS, where its value model is asked once',
    '  more; a completion without EOS gets it on its last token. Ours is on the last token always, and the',
    `  value after it is 0. Whitened advantages differ by up to ${number(facts.placement)}. With the places given, GAE,`,
    '  returns and whitening agree for both (first table). The value loss of TRL counts that place too.',
    '- **Statistics over padding.** TRL averages three of the numbers that it logs over padding too; ours are',
    '  masked: the small table below. `objective/entropy` is masked in TRL as well, and agrees.',
    '- **`val/ratio_var`.** TRL: the variance of the minibatches’ mean ratios. Ours: over tokens.',
    '- **Gradient clipping.** TRL’s PPO loop never clips. Ours clips the policy and the value model each by',
    '  its own norm, or both together on a shared trunk.',
    '- **One optimizer.** TRL trains policy and value model in one AdamW, eps 1e-8 unless set. Ours: one',
    '  each, eps 1e-5.',
    '- **Warm-up.** transformers starts at 0, so its first step changes nothing; ours is one step ahead',
    '  on the same line. After the warm-up both follow the same cosine.',
    '- **Linear decay after a warm-up.** transformers falls from the peak to 0 over the steps that are left;',
    '  ours multiplies the warm-up by a line over all steps. Without a warm-up they are the same.',
    '- **Temperature.** TRL divides by temperature + 1e-7.',
    '- **Missing EOS.** TRL subtracts its penalty; ours does so when `missing_eos` is `subtract`.',
    '- **K-wise rankings.** TRL knows pairs only. The K-wise reference is its pairwise loss on all decided',
    '  pairs of a prompt, then the mean over prompts; a tie is no pair and is not counted in 1/C(K, 2).',
    '  The same holds for DPO.',
    '- **DPO’s label smoothing.** TRL uses it in its loss_type `robust` alone; ours is that loss throughout,',
    '  which is `sigmoid` where the smoothing is 0.',
    '- **Bias of the reward head.** Hugging Face has none; the reference model was given one. Without',
    '  centring its gradient is 0: no pairwise loss depends on it.',
    '',
    '| Logged | Masked (ours) | Over padding too (TRL) |',
    '| --- | --- | --- |',
    ...(['approxkl', 'ratio', 'entropy'] as const).map(
      (name) => `| ${name} | ${facts[name].map(number).join(' | ')} |`,
    ),
  ];
}

/**
 * The whole document.
 * @throws Error when a section has no rows: then tests were not run or did not report
 */
export function parityDocument(
  files: readonly MeasuredFile[],
  facts: FixtureFacts,
  adapter: string,
): string {
  const { torch, transformers, trl } = facts.versions;
  const sections = SECTIONS.flatMap(([file, title]) => {
    const rows = files.find((measured) => measured.file === file)?.rows ?? [];
    if (rows.length === 0) throw new Error(`${file} reported no comparison.`);
    return [`## ${title}`, '', ...table(rows), ''];
  });
  return `${[
    '# Parity with PyTorch, transformers and TRL',
    '',
    '<!-- Written by tools/golden/rlhf/write-parity.ts; edit that instead. -->',
    '',
    `References: torch ${torch}, transformers ${transformers}, trl ${trl} (the last release with`,
    `\`PPOTrainer\`), and trl ${facts.controllerVersion} for the KL controllers. TRL’s functions are imported; the lines of`,
    '`PPOTrainer.train` that are not functions are cut out of the installed release and run as they stand.',
    'References are computed in float64, trajectories in float32 as a person would train.',
    `Ours: float32, WebGPU on ${adapter} in Chromium, and WebAssembly.`,
    '',
    '- **Ours** and **Reference** are the two numbers that are farthest apart among those compared.',
    '- **Differences** are |Δ| over the largest number of the quantity (a gradient: over the norm of its',
    '  tensor). A list is one quantity: single numbers of it may be sums that cancel, and those no float32 has to',
    '  1e-5 of themselves. A reward margin, a difference of rewards, is over the largest reward.',
    '  _abs._ marks differences in the quantity’s own unit (nats).',
    '- **WebGPU** runs the kernels that suit software adapters, **shared memory** those of graphics cards;',
    '  **WASM** is TensorFlow.js’s own operations; **TypeScript** is plain code on the host.',
    '- **PyTorch f32** is how far PyTorch itself is from the reference when it computes in float32.',
    '- Gradients: norm and a fixed linear form of every tensor, all numbers of some.',
    '',
    'Again: `sh tools/golden/rlhf/make.sh` makes the fixtures in `tests/golden/rlhf`,',
    '`npx tsx tools/golden/rlhf/write-parity.ts` runs the tests and writes this page.',
    '',
    ...sections,
    ...notes(facts),
  ].join('\n')}\n`;
}
