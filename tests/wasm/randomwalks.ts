/**
 * The task by which trlx shows that its trainers learn (CarperAI/trlx, examples/randomwalks): a directed
 * graph whose nodes are letters, random walks on it as the text to imitate, and shortest walks to one
 * node as what is rewarded. Made here from our own random numbers.
 */
import { randomInt, STREAM, uniform } from '../../src/core/rng';
import { SPECIAL_TOKENS } from '../../src/tokenizer/special-tokens';
import { ownRules, Tokenizer } from '../../src/tokenizer/tokenizer';

/** trlx's sizes. */
const NODES = 21;
const EDGE_SHARE = 0.1;
/** Nodes of the longest walk, the start among them. */
export const LONGEST = 10;
const GOAL = 0;

const LETTERS = Array.from({ length: NODES }, (_, node) => String.fromCharCode(97 + node));

export interface Walks {
  /** Nodes that an edge leads to, by node. */
  edges: number[][];
  /** Nodes of the shortest walk to the goal, start and goal among them; Infinity without one. */
  shortest: number[];
}

/** A graph in which every node has an edge out, and a walk to the goal of less than `LONGEST` nodes. */
export function walksGraph(seed: number): Walks {
  for (let attempt = 0; ; attempt++) {
    const edges = LETTERS.map((_, from) =>
      LETTERS.map((_, to) => to).filter((to) => {
        const draw = uniform(seed, STREAM.corpus, from * NODES + to, attempt);
        return from !== to && draw < EDGE_SHARE;
      }),
    );
    const shortest = shortestWalks(edges);
    if (edges.every(({ length }) => length > 0) && Math.max(...shortest) < LONGEST) {
      return { edges, shortest };
    }
  }
}

/** Breadth first, backwards from the goal. */
function shortestWalks(edges: readonly number[][]): number[] {
  const length = edges.map((_, node) => (node === GOAL ? 1 : Infinity));
  for (let nodes = 1; nodes < NODES; nodes++) {
    for (const [from, to] of edges.entries()) {
      if (length[from] === Infinity && to.some((next) => length[next] === nodes)) {
        length[from] = nodes + 1;
      }
    }
  }
  return length;
}

/** Each letter but the goal: where walks start. */
export const STARTS: readonly string[] = LETTERS.filter((_, node) => node !== GOAL);

/** Random walks that stop at the goal or at the longest length; the start is the prompt. */
export function randomWalks(
  { edges }: Walks,
  count: number,
  seed: number,
): { prompt: string; completion: string }[] {
  return Array.from({ length: count }, (_, walk) => {
    const start = 1 + randomInt(NODES - 1, seed, STREAM.corpus, walk, 1000);
    const nodes = [start];
    while (nodes.length < LONGEST && nodes.at(-1) !== GOAL) {
      const next = edges[nodes.at(-1)!]!;
      nodes.push(next[randomInt(next.length, seed, STREAM.corpus, walk, nodes.length)]!);
    }
    const [prompt, ...rest] = nodes.map((node) => LETTERS[node]!);
    return { prompt: prompt!, completion: rest.join('') };
  });
}

/**
 * trlx's measure of a walk: 1 for a shortest one, 0 for one that does not reach the goal in time or
 * takes an edge that does not exist, and in between by its length. What is written after the goal
 * does not count.
 */
export function optimality({ edges, shortest }: Walks, prompt: string, completion: string): number {
  const nodes = [...(prompt + completion)].map((letter) => LETTERS.indexOf(letter));
  const length = nodes.indexOf(GOAL) + 1;
  const valid = nodes
    .slice(1, length)
    .every((node, i) => node >= 0 && edges[nodes[i]!]!.includes(node));
  if (length === 0 || length > LONGEST || !valid) return 0;
  return (LONGEST - length) / (LONGEST - shortest[nodes[0]!]!);
}

/** A token for each letter. */
export function walksTokenizer(): Tokenizer {
  const vocab = [...SPECIAL_TOKENS, '?', ...LETTERS];
  return new Tokenizer(vocab, [], { ...ownRules(vocab), unkToken: '?' });
}
