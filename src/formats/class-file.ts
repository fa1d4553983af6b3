/**
 * The class file, `NAME.rankings.json`: see src/core/class-file.ts. The envelope must be right; of
 * its entries each is judged by itself, so that one bad ranking does not cost a class its afternoon.
 */
import * as v from 'valibot';
import type { ClassFile, ClassRanking, ClassSet, Quarantined } from '../core/class-file';
import { PlaygroundError } from '../core/errors';
import type { Sliced } from '../core/slices';
import { without } from '../core/without';
import {
  exposureSchema,
  guidelineSchema,
  harmFlag,
  labelerSchema,
  name,
  ratingSchema,
} from './people-schemas';
import { count, finite, id, text, type Schema } from './schema-parts';

/** A class of thirty with hundreds of rankings each fits many times over. */
export const MAX_CLASS_FILE_BYTES = 8 * 2 ** 20;
/** Entries of one list. */
const MAX_ENTRIES = 50_000;
const MAX_COMPLETIONS = 9;
const MAX_COMMENT = 4000;
/** Entries between two interruptions. */
const PORTION = 25;

/** What was read, and what was not taken. */
export interface ReadClassFile {
  file: ClassFile;
  quarantined: Quarantined[];
}

const list = v.pipe(v.array(v.unknown()), v.maxLength(MAX_ENTRIES));
/** Only this much is sure of a class file of any version. */
const versionSchema = v.object({
  format: v.literal('rlhf-playground-class'),
  version: v.number(),
});
const envelopeSchema = v.strictObject({
  format: v.literal('rlhf-playground-class'),
  version: v.literal(1),
  origin: id,
  madeIn: id,
  project: text,
  task: v.exactOptional(text),
  groups: v.pipe(v.array(name), v.maxLength(200)),
  guidelines: list,
  labelers: list,
  sets: list,
  rankings: list,
  exposures: list,
  preferences: v.optional(v.unknown()),
});

const setSchema: Schema<ClassSet> = v.strictObject({
  id,
  prompt: text,
  completions: v.pipe(
    v.array(v.strictObject({ text, finish: v.picklist(['eos', 'length']) })),
    v.minLength(2, 'a set needs at least 2 completions'),
    v.maxLength(MAX_COMPLETIONS, `a set has at most ${MAX_COMPLETIONS} completions`),
  ),
});

const rankingSchema: Schema<ClassRanking> = v.strictObject({
  id,
  set: id,
  ranks: v.array(v.pipe(count, v.minValue(1), v.maxValue(MAX_COMPLETIONS))),
  outcome: v.picklist(['ranked', 'all-bad', 'skipped']),
  labeler: name,
  simulated: v.boolean(),
  flags: v.array(v.array(harmFlag)),
  order: v.array(count),
  guideline: v.exactOptional(count),
  ratings: v.exactOptional(v.array(ratingSchema)),
  comment: v.exactOptional(v.pipe(text, v.maxLength(MAX_COMMENT))),
  unsure: v.exactOptional(v.boolean()),
  ms: v.exactOptional(v.pipe(finite, v.minValue(0))),
  mode: v.exactOptional(v.picklist(['list', 'pair'])),
  repeatOf: v.exactOptional(id),
  madeIn: v.exactOptional(id),
});

/** @throws PlaygroundError `input` with the numbers when a file is too large to be a class file */
export function checkClassFileSize(fileName: string, bytes: number): void {
  if (bytes <= MAX_CLASS_FILE_BYTES) return;
  const megabytes = (size: number): string => `${(size / 2 ** 20).toFixed(1)} MB`;
  throw new PlaygroundError({
    code: 'input',
    field: fileName,
    message: `${fileName} has ${megabytes(bytes)}; a class file has at most ${megabytes(MAX_CLASS_FILE_BYTES)}.`,
    remedy: 'Choose the small file that “Save my rankings” wrote; nothing was imported.',
  });
}

const bad = (fileName: string, message: string): PlaygroundError =>
  new PlaygroundError({
    code: 'format',
    field: fileName,
    message: `${fileName}: ${message}.`,
    remedy: 'Nothing of it was imported. Save the file again, or choose another one.',
  });

/**
 * Reads a class file. Every entry of its lists is either in the result or named among the quarantined.
 * @throws PlaygroundError `input` for its size, `format` for everything else that makes it no class file
 */
export function* readClassFile(fileName: string, bytes: Uint8Array): Sliced<ReadClassFile> {
  checkClassFileSize(fileName, bytes.length);
  const value = parse(fileName, bytes);
  yield;
  const known = v.safeParse(versionSchema, value);
  if (!known.success) throw bad(fileName, 'it is not a class file of the RLHF Playground');
  if (known.output.version > 1) {
    throw bad(
      fileName,
      `it was written by a newer page (version ${known.output.version}, this page reads 1)`,
    );
  }
  const envelope = v.safeParse(envelopeSchema, value, { abortEarly: true });
  if (!envelope.success) throw bad(fileName, reasonOf(envelope.issues[0]));
  const head = without(envelope.output, 'preferences');

  const quarantined: Quarantined[] = [];
  const refuse = (kind: string, index: number, reason: string): void => {
    quarantined.push({ file: fileName, where: `${kind} ${index + 1}`, reason });
  };
  const entries = function* <T>(
    kind: 'guidelines' | 'labelers' | 'sets' | 'rankings' | 'exposures',
    schema: Schema<T>,
    problem: (entry: T) => string | null,
  ): Sliced<T[]> {
    const good: T[] = [];
    for (const [index, entry] of head[kind].entries()) {
      const result = v.safeParse(schema, entry, { abortEarly: true });
      const reason = result.success ? problem(result.output) : reasonOf(result.issues[0]);
      if (result.success && reason === null) good.push(result.output);
      else refuse(kind, index, reason ?? '');
      if (index % PORTION === 0) yield;
    }
    return good;
  };

  const guidelines = yield* entries(
    'guidelines',
    guidelineSchema,
    unique('version', (g) => g.version),
  );
  const labelers = yield* entries(
    'labelers',
    labelerSchema,
    unique('code', ({ code }) => code),
  );
  const sets = yield* entries(
    'sets',
    setSchema,
    unique('id', (set) => set.id),
  );
  // Rankings on an id that stood there twice would be rankings of one set or of the other.
  const clear = new Map(sets.map((set) => [set.id, set]));
  for (const id of twice(head.sets)) clear.delete(id);
  const versions = new Set(guidelines.map(({ version }) => version));
  const once = unique<ClassRanking>('id', (ranking) => ranking.id);
  const rankings = yield* entries(
    'rankings',
    rankingSchema,
    (ranking) => rankingProblem(ranking, clear, versions) ?? once(ranking),
  );
  const exposures = yield* entries(
    'exposures',
    exposureSchema,
    unique('labeler and day', ({ labeler, day }) => `${day} ${labeler}`),
  );
  return { file: { ...head, guidelines, labelers, sets, rankings, exposures }, quarantined };
}

function parse(fileName: string, bytes: Uint8Array): unknown {
  let json: string;
  try {
    json = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw bad(fileName, 'it is not UTF-8 text');
  }
  try {
    return JSON.parse(json) as unknown;
  } catch {
    throw bad(fileName, 'it is not JSON, or it is cut off');
  }
}

function reasonOf(issue: v.BaseIssue<unknown>): string {
  const field = v.getDotPath(issue);
  const reason = issue.message.slice(0, 300);
  return field === null ? reason : `field ${field.slice(0, 100)}: ${reason}`;
}

/** Says no to an entry whose key has been there before. */
function unique<T>(what: string, keyOf: (entry: T) => unknown): (entry: T) => string | null {
  const seen = new Set<unknown>();
  return (entry) => {
    const key = keyOf(entry);
    if (seen.has(key)) return `the ${what} ${String(key)} occurs twice`;
    seen.add(key);
    return null;
  };
}

/** Ids that more than one entry claims, the refused ones among them. */
function twice(entries: readonly unknown[]): Set<string> {
  const seen = new Set<unknown>();
  const again = new Set<string>();
  for (const entry of entries) {
    if (typeof entry !== 'object' || entry === null || !('id' in entry)) continue;
    if (seen.has(entry.id) && typeof entry.id === 'string') again.add(entry.id);
    seen.add(entry.id);
  }
  return again;
}

/** What does not fit between a ranking and its set, or null. */
function rankingProblem(
  { set: setId, outcome, ranks, flags, order, ratings = [], guideline, id, repeatOf }: ClassRanking,
  sets: ReadonlyMap<string, ClassSet>,
  versions: ReadonlySet<number>,
): string | null {
  const set = sets.get(setId);
  if (set === undefined) return `its set ${setId} is not in the file, or stands there twice`;
  const K = set.completions.length;
  const wanted = outcome === 'ranked' ? K : 0;
  if (ranks.length !== wanted) {
    return `it has ${ranks.length} ranks for ${wanted === 0 ? 'an outcome without ranks' : `${K} completions`}`;
  }
  const tooHigh = ranks.find((rank) => rank > K);
  if (tooHigh !== undefined) return `rank ${tooHigh} of ${K} completions`;
  if (flags.length !== K && flags.length !== 0) {
    return `it has flags for ${flags.length} of ${K} completions`;
  }
  if (ratings.length !== K && ratings.length !== 0) {
    return `it has ratings for ${ratings.length} of ${K} completions`;
  }
  const places = new Set(order.filter((place) => place < K));
  if (order.length !== K || places.size !== K) {
    return `its order must name each of ${K} completions once`;
  }
  if (guideline !== undefined && !versions.has(guideline)) {
    return `guideline version ${guideline} is not in the file`;
  }
  return repeatOf === id ? 'it repeats itself' : null;
}

/** The file's text: a line for each entry, so that people can look into it. */
export function writeClassFile(file: ClassFile): string {
  const { guidelines, labelers, sets, rankings, exposures, preferences, ...head } = file;
  const lines = (entries: readonly unknown[]): string =>
    entries.length === 0
      ? '[]'
      : `[\n${entries.map((entry) => `  ${JSON.stringify(entry)}`).join(',\n')}\n]`;
  const fields = [
    ...Object.entries(head).map(([key, value]) => [key, JSON.stringify(value)]),
    ...Object.entries({ guidelines, labelers, sets, rankings, exposures }).map(([key, entries]) => [
      key,
      lines(entries),
    ]),
    ...(preferences === undefined ? [] : [['preferences', JSON.stringify(preferences)]]),
  ];
  return `{\n${fields.map(([key, json]) => `${JSON.stringify(key)}: ${json}`).join(',\n')}\n}\n`;
}
