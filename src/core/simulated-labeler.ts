/**
 * A labeler made of rules, for demonstrations and tests; whatever it ranks is marked *simulated*.
 * It values a text by
 *   score = gold + length_bias · words / 10 − harm_aversion · [the harm lexicon flags it]
 * and sees that through noise: the chance that it puts i above j is σ((score_i − score_j) / noise),
 * the Bradley–Terry model, by adding Gumbel noise to every score (Yellott 1977), which also makes
 * whole rankings Plackett–Luce.
 */
import type { AttributeName } from './attributes';
import { PlaygroundError } from './errors';
import { hashText } from './rng';
import { gumbel, valuedGold, worthOf } from './simulated-gold';

/** What a simulated labeler is shown. */
export interface SimulatedTask {
  attribute: AttributeName;
  prompt: string;
  completions: readonly { text: string; finish: 'eos' | 'length' }[];
  seed: number;
  /** Scale of the noise in units of gold score; 0 ranks by gold alone. Default `DEMO_NOISE`. */
  noise?: number;
  /** Taken off the score of a text that the harm lexicon flags. Default 0. */
  harm_aversion?: number;
  /** Added to the score for every ten words. Default 0. */
  length_bias?: number;
}

/** Ranks as in `Ranking`: 1 is best, ties share a rank; empty when every completion is bad. */
export interface SimulatedRanking {
  ranks: number[];
  outcome: 'ranked' | 'all-bad';
}

/**
 * A careful labeler, so that the demo needs few rankings: asked twice about SFT samples of `nano` it
 * agrees with itself on 92 % (polite) to 99 % (cats, happy) of the pairs. People reach about 73 %
 * (InstructGPT, section 3.4); noise of 0.7 (polite), 1.0 (happy) and 1.2 (cats) gives the same.
 */
export const DEMO_NOISE = 0.2;
/** Completions whose gold scores differ by no more are tied. */
export const TIE_MARGIN = 0.05;
/** "All bad" when no completion reaches this gold score. */
export const ALL_BAD_BELOW = -0.4;

/** What the name of every simulated labeler begins with, and no other. */
export const SIMULATED_PREFIX = 'simulated:';

/** Whether a labeler is a rule, by its name. */
export const isSimulatedName = (code: string): boolean => code.trim().startsWith(SIMULATED_PREFIX);

/** The name that a simulated labeler's rankings carry, e.g. `simulated:polite`. */
export const simulatedLabelerName = (attribute: AttributeName): string =>
  `${SIMULATED_PREFIX}${attribute}`;

/**
 * Ranks completions. Deterministic in (seed, prompt, completions), and the order in which the
 * completions are shown makes no difference: noise is drawn by their text.
 * @throws PlaygroundError `argument` for fewer than two completions or a bad `noise`
 */
export function simulateRanking(task: SimulatedTask): SimulatedRanking {
  const { attribute, prompt, completions, seed, noise = DEMO_NOISE } = task;
  const { harm_aversion = 0, length_bias = 0 } = task;
  const values = { attribute, harm_aversion, length_bias };
  if (completions.length < 2) {
    throw new PlaygroundError({
      code: 'argument',
      field: 'completions',
      message: `A ranking needs at least two completions, not ${completions.length}.`,
    });
  }
  if (!(noise >= 0 && Number.isFinite(noise))) {
    throw new PlaygroundError({
      code: 'argument',
      field: 'noise',
      message: `noise must be 0 or more, not ${noise}.`,
    });
  }
  for (const [field, value] of Object.entries({ harm_aversion, length_bias })) {
    if (Number.isFinite(value)) continue;
    const message = `${field} must be a number, not ${value}.`;
    throw new PlaygroundError({ code: 'argument', field, message });
  }

  // 1. Scores, best first; equal scores in the order of their texts. A text is bad by what it says:
  // a taste for length makes nothing good or bad.
  const judged = completions.map(({ text, finish }, index) => {
    const one = { text, finish };
    return { index, text, worth: worthOf(values, one), score: valuedGold(values, one) };
  });
  if (judged.every(({ worth }) => worth < ALL_BAD_BELOW)) return { ranks: [], outcome: 'all-bad' };
  const scored = judged.sort((a, b) => b.score - a.score || (a.text < b.text ? -1 : 1));

  // 2. Groups of scores within the margin of their best are ties and share one draw of noise.
  const groups: { members: number[]; score: number; utility: number }[] = [];
  for (const { index, text, score } of scored) {
    const last = groups.at(-1);
    if (last !== undefined && last.score - score <= TIE_MARGIN) {
      last.members.push(index);
      continue;
    }
    const disturbance = noise === 0 ? 0 : noise * gumbel(seed, hashText(`${prompt}\n${text}`));
    groups.push({ members: [index], score, utility: score + disturbance });
  }

  // 3. Groups by disturbed score; a group's rank is one more than the number of completions above.
  groups.sort((a, b) => b.utility - a.utility);
  const ranks = new Array<number>(completions.length).fill(0);
  let above = 0;
  for (const { members } of groups) {
    for (const member of members) ranks[member] = above + 1;
    above += members.length;
  }
  return { ranks, outcome: 'ranked' };
}
