/** What the evaluation takes from the corpus that a model was trained on. */
import { STREAM, uniform } from '../../../src/core/rng';
import { encodeDocument } from '../../../src/tokenizer/documents';
import type { Tokenizer } from '../../../src/tokenizer/tokenizer';
import { EDITIONS, isKept, splitOf } from '../corpus';
import type { BaseModel } from '../write-manifest';
import { Acceptance } from './acceptance';

/** As generate-corpus.ts draws it when nothing else is said. */
const CORPUS_SEED = 1;
/** Documents to compare samples with: of another seed, so that they are new. */
const COMPARISON_SEED = 2;

export interface CorpusSample {
  /** What the generator writes, from every document of the corpus. */
  acceptance: Acceptance;
  /** The first held-out documents. */
  heldOut: { seen: string[]; unseen: string[] };
  /** Documents of another seed. */
  comparison: string[];
}

/** Makes the corpus again: `documents` unique ones of `edition`, plain ones as often as it had them. */
export function readCorpusSample(
  { edition, documents, plain }: Pick<BaseModel, 'edition' | 'documents' | 'plain'>,
  wanted: { heldOut: number; comparison: number },
): CorpusSample {
  const makeDocument = EDITIONS[edition];
  const acceptance = new Acceptance();
  const heldOut: CorpusSample['heldOut'] = { seen: [], unseen: [] };
  const texts = new Set<string>();
  for (let index = 0; texts.size < documents; index++) {
    const document = makeDocument(CORPUS_SEED, index);
    if (texts.has(document.text) || !isKept(document.text, plain)) continue;
    texts.add(document.text);
    acceptance.learn(document.text);
    const split = splitOf(document);
    if (split !== 'train' && heldOut[split].length < wanted.heldOut) {
      heldOut[split].push(document.text);
    }
  }
  const comparison: string[] = [];
  for (let index = 0; comparison.length < wanted.comparison; index++) {
    const { text } = makeDocument(COMPARISON_SEED, index);
    if (isKept(text, plain)) comparison.push(text);
  }
  return { acceptance, heldOut, comparison };
}

/** Ids of documents with their end token, as pretrain.py reads them: cut at the context. */
export const documentRows = (
  tokenizer: Tokenizer,
  texts: readonly string[],
  context: number,
): number[][] => texts.map((text) => encodeDocument(tokenizer, text).slice(0, context));

/**
 * UTF-8 bytes of the tokens that the loss scores: all but the first, the end token counts none.
 * In the byte alphabet of the vocabulary one character stands for one byte.
 */
export function scoredBytes(tokenizer: Tokenizer, rows: readonly (readonly number[])[]): number {
  return rows
    .flatMap((row) => row.slice(1))
    .reduce((sum, id) => sum + (tokenizer.isSpecial(id) ? 0 : tokenizer.vocab[id]!.length), 0);
}

/**
 * Where samples start: the first token of a document drawn from `rows` with replacement. The model
 * never saw anything before a document's first token, so it cannot choose that one itself.
 */
export function drawStarts(rows: readonly number[][], count: number, seed: number): number[][] {
  return Array.from({ length: count }, (_, i) => {
    const row = rows[Math.floor(uniform(seed, STREAM.prompts, i) * rows.length)]!;
    return row.slice(0, 1);
  });
}
