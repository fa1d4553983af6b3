/**
 * All that a page says about agreement, from one walk over the rankings: overall, within and across
 * groups, labeler by labeler, prompt by prompt.
 */
import {
  alphaStatistic,
  decidedAlike,
  kendallStatistic,
  panels,
  repeatedPairs,
  setRankings,
  shareStatistic,
  textOrders,
  type Panel,
  type Part,
  type SetRanking,
} from './agreement';
import { estimate, type Estimate } from './bootstrap';
import type { Ranking } from './domain';
import type { Labeler } from './people';
import type { Sliced } from './slices';

/** InstructGPT, section 3.4: how often its labelers agree on a pair, ± one standard error. */
export const INSTRUCT_GPT = {
  training: { share: 0.726, error: 0.015 },
  heldOut: { share: 0.773, error: 0.013 },
} as const;

/** Labelers without a group of their own stand under this name. */
export const NO_GROUP = 'no group';

/** Pairs of completions that two labelers (or groups) both decided, and those decided alike. */
export interface Cell {
  same: number;
  both: number;
}

/** Who put which completion where. */
export interface ContestedSet {
  prompt: string;
  /** In the order of their texts. */
  completions: string[];
  /** `ranks[i]` is that of `completions[i]`. */
  ranks: { labeler: string; ranks: number[] }[];
  /** Share of the pairs decided alike. */
  agreement: number;
}

export interface AgreementReport {
  /** Rankings with an order. */
  rankings: number;
  /** Labelers who gave one, by group and code. */
  labelers: string[];
  /** Sets that more than one of them ranked. */
  sharedSets: number;
  pairwise: Estimate;
  kendallW: Estimate;
  alpha: Estimate;
  selfConsistency: Estimate;
  groups: string[];
  /** [group, group], symmetric: agreement of a labeler of one with a labeler of the other. */
  byGroup: Estimate[][];
  /** [labeler, labeler], symmetric. */
  byLabeler: Cell[][];
  /** Lowest agreement first. */
  prompts: { prompt: string; agreement: number; pairs: number }[];
  /** The most contested sets, worst first. */
  contested: ContestedSet[];
}

const CONTESTED = 6;
/** Rankings or sets between two interruptions, about a millisecond's worth. */
const PORTION = 50;
const SEED = 1;

/**
 * @param rankings of people, or of simulated labelers, never of both: they must not be pooled
 * @param labelers profiles, for the groups
 */
export function* agreementReport(
  rankings: readonly Ranking[],
  labelers: readonly Labeler[],
): Sliced<AgreementReport> {
  const orders = textOrders();
  const ranked: SetRanking[] = [];
  const texts = new Map<string, string[]>();
  for (const part of portions(byRepeat(rankings), PORTION)) {
    for (const ranking of part) {
      const [one] = setRankings([ranking], orders);
      if (one === undefined) continue;
      ranked.push(one);
      if (!texts.has(one.set)) texts.set(one.set, ranking.completions.toSorted());
    }
    yield;
  }
  const all = yield* panels(ranked);
  const found = [...new Set(ranked.map(({ labeler }) => labeler))].sort();
  const groupsOf = membership(found, labelers);
  const codes = besideTheirGroup(found, groupsOf);
  const groups = [...new Set([...groupsOf.values()].flat())].sort();
  const pairs = yield* comparePanels(all, codes, groupsOf, groups);

  const byGroup: Estimate[][] = groups.map(() => []);
  for (const [a, row] of pairs.byGroup.entries()) {
    for (const [b, parts] of row.entries()) {
      if (b < a) byGroup[a]!.push(byGroup[b]![a]!);
      else byGroup[a]!.push(yield* estimate(shareStatistic(parts), SEED));
    }
  }
  yield;
  const kendall = yield* kendallStatistic(all);
  const alpha = yield* alphaStatistic(all);
  const repeats = shareStatistic(repeatedPairs(ranked));
  yield;
  return {
    rankings: ranked.length,
    labelers: codes,
    sharedSets: all.length,
    pairwise: yield* estimate(shareStatistic(pairs.bySet), SEED),
    kendallW: yield* estimate(kendall, SEED),
    alpha: yield* estimate(alpha, SEED),
    selfConsistency: yield* estimate(repeats, SEED),
    groups,
    byGroup,
    byLabeler: pairs.byLabeler,
    prompts: promptsByAgreement(pairs.bySet),
    contested: contested(all, pairs.bySet, texts),
  };
}

/** First rankings before silent repeats, as `setRankings` has them. */
const byRepeat = (rankings: readonly Ranking[]): Ranking[] => [
  ...rankings.filter(({ repeatOf }) => repeatOf === undefined),
  ...rankings.filter(({ repeatOf }) => repeatOf !== undefined),
];

function* portions<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

function membership(
  codes: readonly string[],
  labelers: readonly Labeler[],
): Map<string, readonly string[]> {
  const profiles = new Map(labelers.map(({ code, groups }) => [code, groups]));
  return new Map(
    codes.map((code) => {
      const groups = profiles.get(code) ?? [];
      return [code, groups.length === 0 ? [NO_GROUP] : groups];
    }),
  );
}

/** Labelers of one group next to each other, those without one last: so a map of them shows blocks. */
function besideTheirGroup(
  codes: readonly string[],
  groupsOf: ReadonlyMap<string, readonly string[]>,
): string[] {
  const place = (code: string): string => {
    const first = groupsOf.get(code)![0]!;
    return first === NO_GROUP ? '\uffff' : first;
  };
  return codes.toSorted((a, b) => (place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : 0));
}

interface Compared {
  /** One for each panel, in their order. */
  bySet: Part[];
  byLabeler: Cell[][];
  /** [group][group ≥ it]: counts by set. */
  byGroup: Part[][][];
}

function* comparePanels(
  all: readonly Panel[],
  codes: readonly string[],
  groupsOf: ReadonlyMap<string, readonly string[]>,
  groups: readonly string[],
): Sliced<Compared> {
  const index = new Map(codes.map((code, i) => [code, i]));
  const groupIndex = new Map(groups.map((group, i) => [group, i]));
  const own = codes.map((code) => groupsOf.get(code)!.map((group) => groupIndex.get(group)!));
  const cellsOfPair = codes.map((_, a) =>
    codes.map((__, b) => [...cellsOf(own[a]!, own[b]!, groups.length)]),
  );
  const byLabeler = codes.map(() => codes.map((): Cell => ({ same: 0, both: 0 })));
  const byGroup = groups.map(() => groups.map((): Part[] => []));
  const bySet: Part[] = [];
  let compared = 0;
  for (const { prompt, rankings } of all) {
    const total: Part = { prompt, same: 0, both: 0 };
    const cells = new Map<number, Part>();
    for (let i = 0; i < rankings.length; i++) {
      for (let j = i + 1; j < rankings.length; j++) {
        const a = index.get(rankings[i]!.labeler)!;
        const b = index.get(rankings[j]!.labeler)!;
        const found = decidedAlike(rankings[i]!.ranks, rankings[j]!.ranks);
        add(total, found);
        add(byLabeler[a]![b]!, found);
        add(byLabeler[b]![a]!, found);
        for (const cell of cellsOfPair[a]![b]!) {
          const part = cells.get(cell) ?? { prompt, same: 0, both: 0 };
          cells.set(cell, part);
          add(part, found);
        }
      }
    }
    bySet.push(total);
    for (const [cell, part] of cells) {
      byGroup[Math.floor(cell / groups.length)]![cell % groups.length]!.push(part);
    }
    compared += rankings.length ** 2;
    if (compared > PORTION) {
      compared = 0;
      yield;
    }
  }
  return { bySet, byLabeler, byGroup };
}

function add(to: Cell, { same, both }: Cell): void {
  to.same += same;
  to.both += both;
}

/** Cells [lower group, higher group] that a pair of labelers counts for, each once. */
function cellsOf(a: readonly number[], b: readonly number[], groups: number): Set<number> {
  const cells = new Set<number>();
  for (const one of a) {
    for (const other of b) {
      cells.add(Math.min(one, other) * groups + Math.max(one, other));
    }
  }
  return cells;
}

function promptsByAgreement(bySet: readonly Part[]): AgreementReport['prompts'] {
  const prompts = new Map<string, Cell>();
  for (const part of bySet) {
    const total = prompts.get(part.prompt) ?? { same: 0, both: 0 };
    prompts.set(part.prompt, total);
    add(total, part);
  }
  return [...prompts]
    .filter(([, { both }]) => both > 0)
    .map(([prompt, { same, both }]) => ({ prompt, agreement: same / both, pairs: both }))
    .sort((a, b) => a.agreement - b.agreement || b.pairs - a.pairs);
}

function contested(
  all: readonly Panel[],
  bySet: readonly Part[],
  texts: ReadonlyMap<string, string[]>,
): ContestedSet[] {
  return bySet
    .map(({ same, both }, i) => ({ panel: all[i]!, both, agreement: same / both }))
    .filter(({ both, agreement }) => both > 0 && agreement < 1)
    .sort((a, b) => a.agreement - b.agreement || b.both - a.both)
    .slice(0, CONTESTED)
    .map(({ panel, agreement }) => ({
      prompt: panel.prompt,
      completions: texts.get(panel.set) ?? [],
      ranks: panel.rankings.map(({ labeler, ranks }) => ({ labeler, ranks })),
      agreement,
    }));
}
