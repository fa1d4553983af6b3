import { expect, it } from 'vitest';
import { PRESETS } from '../../../src/core/presets';
import { modelCard, type ModelCardFacts } from '../../../src/formats/hugging-face/export-card';

const CARD: ModelCardFacts = {
  projectName: 'Goats',
  base: 'nano',
  seed: 5,
  stages: [
    { stage: 'sft', step: 40, totalSteps: 40, config: { learning_rate: 3e-4 }, finalRow: null },
  ],
  demonstrations: 20,
  rankings: { people: 0, simulated: 0 },
  normalization: null,
};

const policyCard = (change: Partial<ModelCardFacts> = {}): string =>
  modelCard('policy', PRESETS.nano, { ...CARD, ...change });

const rewardCard = (change: Partial<ModelCardFacts> = {}): string => {
  const normalization = { shift: 1.5, scale: 0.25 };
  return modelCard('reward', PRESETS.nano, { ...CARD, normalization, ...change });
};

it('says whose preferences a reward model learned', () => {
  const say = (people: number, simulated: number): string =>
    rewardCard({ rankings: { people, simulated } });
  expect(say(0, 40)).toContain('The preferences are no person’s');
  expect(say(40, 0)).toContain('those of the people who ranked in this project');
  const mixed = say(30, 10);
  expect(mixed).toContain('- Rankings by people: 30\n- Rankings by simulated labelers (rules): 10');
  expect(mixed).toContain('a mixture');
  expect(mixed).toContain('logit − reward_offset');
  expect(mixed).toContain('raw scores r became (r − 1.5) · 0.25, so that demonstrations\nscore 0');
  const undemonstrated = rewardCard({ demonstrations: 0 });
  expect(undemonstrated).toContain('so that the ranked answers\nscore 0 on average');
});

it('says that nobody’s preferences are in an SFT model, and somebody’s in a PPO model', () => {
  expect(policyCard()).toContain('Nobody’s: no ranking went into this model.');
  const ppo = { stage: 'ppo', step: 30, totalSteps: 50, config: {}, finalRow: null } as const;
  const stages = [...CARD.stages, ppo];
  const rankings = { people: 12, simulated: 0 };
  const card = policyCard({ stages, rankings });
  expect(card).toContain('- Rankings by people: 12');
  expect(card).toContain('- Stage: PPO against the reward model');
  expect(card).toContain('30 of 50 planned steps: stopped before the end.');
});

it('says whose preferences DPO learned from', () => {
  const dpo = { stage: 'dpo', step: 12, totalSteps: 12, config: {}, finalRow: null } as const;
  const card = policyCard({ stages: [...CARD.stages, dpo], rankings: { people: 0, simulated: 9 } });
  expect(card).toContain('- Stage: DPO on rankings');
  expect(card).toContain('no person’s: a rule in the page made every ranking');
});

it('lists base, seed, steps, settings and last metrics; numbers without binary noise', () => {
  const config = { learning_rate: 0.1 + 0.2, packing: false, lr_scheduler_type: 'cosine' };
  const sft = { stage: 'sft', step: 40, totalSteps: 40, config, finalRow: { step: 40, loss: 1 } };
  const card = policyCard({ stages: [sft] as ModelCardFacts['stages'] });
  for (const line of [
    '- Base: nano',
    '- Seed: 5',
    '40 steps.',
    '| `learning_rate` | 0.3 |',
    '| `lr_scheduler_type` | cosine |',
    '| `packing` | false |',
    '| `loss` | 1 |',
  ]) {
    expect(card.split('\n')).toContain(line);
  }
  expect(policyCard({ base: 'scratch', stages: [] })).toContain('- Base: none (random weights)');
});

it('shows a project’s name as plain text on one line', () => {
  const projectName = 'A\n---\n# <script>x</script> [l](http://e) `c` | *b*';
  const card = policyCard({ projectName });
  expect(card.split('\n').filter((line) => line === '---')).toHaveLength(2);
  expect(card).toContain(
    '# A \\-\\-\\- \\# \\<script\\>x\\</script\\> \\[l\\]\\(http\\://e\\) \\`c\\` \\| \\*b\\*: a policy',
  );
  expect(policyCard({ projectName: ' ' })).toContain('# Untitled: a policy');
});
