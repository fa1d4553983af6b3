/** README.md of an exported model: what it is, how it was made, what it is not good for. */
import type { MetricRow, ModelConfig, Stage } from '../../core/domain';
import { markdownText } from '../../core/markdown-text';
import { countParameters } from '../../core/presets';
import type { ExportKind } from './export-config';

/** One stage that the weights went through. */
export interface TrainedStage {
  stage: Stage;
  /** Optimizer steps that were made, and that were planned. */
  step: number;
  totalSteps: number;
  /** The complete configuration of the run. */
  config: Readonly<Record<string, number | string | boolean>>;
  /** Metrics of the last step, by their TRL names. */
  finalRow: MetricRow | null;
}

/** What the card says about where a model comes from. */
export interface ModelCardFacts {
  projectName: string;
  /** Shipped base id, the name of an imported model, or 'scratch'. */
  base: string;
  seed: number;
  /** In the order of training; the last one made the exported weights. Empty for a base as shipped. */
  stages: readonly TrainedStage[];
  /** Demonstrations in the project; a reward model's mean on them is 0, when there are any. */
  demonstrations: number;
  /** Rankings that the reward model or DPO learned from, by who made them; 0 and 0 when there was none. */
  rankings: { people: number; simulated: number };
  /** The reward model's normalisation r ↦ (r − shift)·scale; null for policies. */
  normalization: { shift: number; scale: number } | null;
}

const STAGE_TITLES: Record<Stage, string> = {
  pretrain: 'pretraining on text',
  sft: 'supervised fine-tuning (SFT) on demonstrations',
  reward: 'reward-model training on rankings',
  ppo: 'PPO against the reward model',
  dpo: 'DPO on rankings',
};

/**
 * The card in Markdown, with the front matter that the Hub reads.
 * @param withPreferences PREFERENCES.md lies beside it
 */
export function modelCard(
  kind: ExportKind,
  config: ModelConfig,
  facts: ModelCardFacts,
  withPreferences = false,
): string {
  const name = markdownText(facts.projectName) || 'Untitled';
  return [
    '---',
    'library_name: transformers',
    `pipeline_tag: ${kind === 'policy' ? 'text-generation' : 'text-classification'}`,
    'tags:',
    '  - rlhf',
    `  - ${kind === 'policy' ? 'policy' : 'reward-model'}`,
    '---',
    '',
    `# ${name}: ${kind === 'policy' ? 'a policy' : 'a reward model'} from the RLHF Playground`,
    '',
    ...whatItIs(kind, config, facts),
    '',
    '## Whose preferences',
    '',
    ...whosePreferences(kind, facts),
    '',
    ...(withPreferences ? [SEE_PREFERENCES, ''] : []),
    '## Use',
    '',
    ...(kind === 'policy' ? policyUse() : rewardUse(facts)),
    '',
    '## Training',
    '',
    ...training(facts),
    '## Limits',
    '',
    ...limits(kind, config),
    '',
  ].join('\n');
}

const SEE_PREFERENCES =
  'Who ranked, how far they agree, and what cannot be concluded from it: `PREFERENCES.md`, beside this file.';

function whatItIs(kind: ExportKind, config: ModelConfig, facts: ModelCardFacts): string[] {
  const { hidden_size, num_hidden_layers, max_position_embeddings, vocab_size } = config;
  const last = facts.stages.at(-1);
  const role =
    kind === 'policy'
      ? 'A small language model that answers a request. Class: `LlamaForCausalLM`.'
      : 'A small model that gives an answer to a request one number: how much it would be preferred. Class: `LlamaForSequenceClassification` with one label.';
  return [
    role,
    '',
    `- Stage: ${last === undefined ? 'base, not trained further' : STAGE_TITLES[last.stage]}`,
    `- Base: ${facts.base === 'scratch' ? 'none (random weights)' : markdownText(facts.base)}`,
    `- Size: ${grouped(countParameters(config))} parameters in the language model (hidden ${hidden_size}, ${num_hidden_layers} layers), stored as f32`,
    `- Context: ${max_position_embeddings} tokens; vocabulary: ${vocab_size}, byte-level BPE`,
    `- Seed: ${facts.seed}`,
  ];
}

function whosePreferences(kind: ExportKind, facts: ModelCardFacts): string[] {
  const { people, simulated } = facts.rankings;
  const learned =
    kind === 'reward' || facts.stages.some(({ stage }) => stage === 'ppo' || stage === 'dpo');
  if (!learned) {
    return ['Nobody’s: no ranking went into this model. It imitates text it was shown.'];
  }
  const whose =
    people === 0
      ? 'no person’s: a rule in the page made every ranking'
      : simulated === 0
        ? 'those of the people who ranked in this project, and of nobody else'
        : 'a mixture of people’s and of a rule’s in the page';
  return [
    `- Rankings by people: ${people}`,
    `- Rankings by simulated labelers (rules): ${simulated}`,
    `- Demonstrations: ${facts.demonstrations}`,
    '',
    `The preferences are ${whose}. A few rankings do not stand for people in general.`,
  ];
}

function policyUse(): string[] {
  return [
    '```python',
    'from transformers import AutoModelForCausalLM, AutoTokenizer',
    '',
    'tokenizer = AutoTokenizer.from_pretrained("FOLDER")',
    'model = AutoModelForCausalLM.from_pretrained("FOLDER")',
    'chat = [{"role": "user", "content": "YOUR REQUEST"}]',
    'inputs = tokenizer.apply_chat_template(',
    '    chat, add_generation_prompt=True, return_tensors="pt", return_dict=True',
    ')',
    'output = model.generate(**inputs, max_new_tokens=64)',
    'answer = output[0, inputs["input_ids"].shape[1] :]',
    'print(tokenizer.decode(answer, skip_special_tokens=True))',
    '```',
  ];
}

function rewardUse({ normalization, demonstrations }: ModelCardFacts): string[] {
  return [
    '```python',
    'from transformers import AutoModelForSequenceClassification, AutoTokenizer',
    '',
    'tokenizer = AutoTokenizer.from_pretrained("FOLDER")',
    'model = AutoModelForSequenceClassification.from_pretrained("FOLDER")',
    'chat = [',
    '    {"role": "user", "content": "YOUR REQUEST"},',
    '    {"role": "assistant", "content": "AN ANSWER"},',
    ']',
    'inputs = tokenizer.apply_chat_template(chat, return_tensors="pt", return_dict=True)',
    'score = model(**inputs).logits[0, 0] - model.config.reward_offset',
    '```',
    '',
    'The page’s score is `logit − reward_offset`. The classifier class of `transformers` has no bias, so',
    'the page’s bias stands in `config.json` as `reward_offset`; it cancels when two answers are compared.',
    ...(normalization === null
      ? []
      : [
          `The scale is inside \`score.weight\`: raw scores r became (r − ${normalization.shift}) · ${normalization.scale}, so that ${demonstrations > 0 ? 'demonstrations' : 'the ranked answers'}`,
          'score 0 on average and one unit is one standard deviation of the ranked answers.',
        ]),
  ];
}

function training({ stages }: ModelCardFacts): string[] {
  if (stages.length === 0) return ['Not trained in the page.', ''];
  return stages.flatMap(({ stage, step, totalSteps, config, finalRow }) => [
    `### ${capitalized(STAGE_TITLES[stage])}`,
    '',
    step === totalSteps
      ? `${step} steps.`
      : `${step} of ${totalSteps} planned steps: stopped before the end.`,
    '',
    '| setting | value |',
    '| --- | --- |',
    ...sortedRows(config),
    '',
    ...(finalRow === null
      ? []
      : ['| metric, last step | value |', '| --- | --- |', ...sortedRows(finalRow), '']),
  ]);
}

function sortedRows(values: Readonly<Record<string, number | string | boolean>>): string[] {
  return Object.keys(values)
    .sort()
    .map((name) => {
      const value = values[name]!;
      const shown = typeof value === 'number' ? shortNumber(value) : markdownText(String(value));
      return `| \`${name}\` | ${shown} |`;
    });
}

function limits(kind: ExportKind, config: ModelConfig): string[] {
  return [
    '- Made to show how RLHF works. It is of no use for anything that matters, and was not checked for safety.',
    kind === 'policy'
      ? '- It knows little more than its training text, makes mistakes of fact and grammar, and may please the reward model without being good (reward hacking).'
      : '- It is right only about answers like those that were ranked; answers far from them get scores that mean nothing.',
    `- Text and answer together may have ${config.max_position_embeddings} tokens.`,
    '- `transformers` reads a special token that is written out in a message (the end token, for instance) as that token; the page reads it as plain text. Remove such strings from text that you do not trust.',
  ];
}

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ' ');

/** Six significant digits, and never "0.30000000000000004". */
const shortNumber = (value: number): string => String(Number(value.toPrecision(6)));
