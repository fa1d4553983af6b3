/** Reads and checks `tokenizer.json`. What would encode differently here is refused by name. */
import type { AddedToken } from './added-tokens';
import { describeType, isRecord, malformedFile, quote } from './malformed-file';
import { PatternRefused } from './oniguruma';
import { MAX_VOCAB_SIZE } from './pair-key';
import { readPostProcessor, readPreTokenizer } from './tokenizer-steps';
import { ROLE_TOKENS, type Role } from './special-tokens';
import { specialToken, Tokenizer, type Merge, type TokenizerRules } from './tokenizer';

/** A checked file: everything but the certainty that every role has its token. */
export interface TokenizerFile extends Omit<TokenizerRules, 'roles'> {
  vocab: string[];
  merges: Merge[];
  /** Tokens marked with a role, our own names for the rest: they need not be in the vocabulary. */
  roles: Record<Role, string>;
}

/**
 * Checks a `tokenizer.json` (the parsed object or its text).
 * @throws PlaygroundError `format` naming what does not fit
 */
export function readTokenizerFile(json: unknown): TokenizerFile {
  const root = typeof json === 'string' ? parse(json) : json;
  if (!isRecord(root)) throw malformedFile('it is not a JSON object');
  const model = root['model'];
  if (!isRecord(model)) throw malformedFile('the field model is missing');
  checkModel(model);
  const decoder = root['decoder'];
  if (decoder != null && !(isRecord(decoder) && decoder['type'] === 'ByteLevel')) {
    throw malformedFile(`decoder is ${describeType(decoder)}, not ByteLevel`);
  }

  const idOf = readVocab(model['vocab']);
  const inModel = new Set(idOf.values());
  const { addedTokens, roles } = readAddedTokens(root['added_tokens'], idOf);
  for (const content of Object.values(roles)) {
    const id = idOf.get(content);
    if (id !== undefined && !addedTokens.some((token) => token.id === id)) {
      addedTokens.push(specialToken(id, content));
    }
  }
  addedTokens.sort((a, b) => a.id - b.id);
  const unkToken = readUnknown(model, idOf);
  const addedIds = addedTokens.map(({ id }) => id);
  return {
    vocab: byId(idOf),
    merges: readMerges(model['merges'], idOf),
    addedTokens,
    listedTwice: new Set(addedIds.filter((id) => inModel.has(id))),
    roles,
    normalizer: readNormalizer(root['normalizer']),
    preTokenizer: readPreTokenizer(root['pre_tokenizer']),
    postProcessor: readPostProcessor(root['post_processor'], idOf),
    ignoreMerges: model['ignore_merges'] === true,
    unkToken,
  };
}

/**
 * The tokenizer of a checked file in which every role has its token.
 * @throws PlaygroundError `format`
 */
export function buildTokenizer({ vocab, merges, ...rules }: TokenizerFile): Tokenizer {
  try {
    return new Tokenizer(vocab, merges, rules);
  } catch (thrown) {
    if (!(thrown instanceof PatternRefused)) throw thrown;
    throw malformedFile(
      `the pattern of a Split in pre_tokenizer cannot be used: ${thrown.message}`,
    );
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw malformedFile('it is not valid JSON');
  }
}

function checkModel(model: Record<string, unknown>): void {
  if (model['type'] !== 'BPE') {
    throw malformedFile(`model.type is ${describeType(model['type'])}, not BPE`);
  }
  for (const field of ['dropout', 'continuing_subword_prefix', 'end_of_word_suffix']) {
    const value = model[field];
    if (value !== undefined && value !== null && value !== '' && value !== 0) {
      throw malformedFile(`model.${field} is not supported`);
    }
  }
  if (model['byte_fallback'] === true) {
    throw malformedFile('model.byte_fallback (a SentencePiece vocabulary) is not supported');
  }
}

function readUnknown(
  model: Record<string, unknown>,
  idOf: ReadonlyMap<string, number>,
): string | null {
  const unknown = model['unk_token'] ?? null;
  if (unknown === null) return null;
  if (typeof unknown !== 'string' || !idOf.has(unknown)) {
    throw malformedFile('model.unk_token is not in the vocabulary');
  }
  if (model['fuse_unk'] === true) throw malformedFile('model.fuse_unk is not supported');
  return unknown;
}

function readNormalizer(value: unknown): 'NFC' | null {
  if (value === undefined || value === null) return null;
  if (isRecord(value) && value['type'] === 'NFC') return 'NFC';
  throw malformedFile(`the normalizer ${describeType(value)} is not supported; NFC and none are`);
}

function isId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < MAX_VOCAB_SIZE;
}

function readVocab(value: unknown): Map<string, number> {
  if (!isRecord(value)) throw malformedFile('model.vocab is missing');
  const idOf = new Map<string, number>();
  for (const [piece, id] of Object.entries(value)) {
    if (!isId(id)) throw malformedFile(`model.vocab: the id of ${quote(piece)} is bad`);
    idOf.set(piece, id);
  }
  return idOf;
}

const FLAGS = ['single_word', 'lstrip', 'rstrip', 'normalized', 'special'] as const;

/** Adds the tokens to `idOf`. */
function readAddedTokens(
  value: unknown,
  idOf: Map<string, number>,
): { addedTokens: AddedToken[]; roles: Record<Role, string> } {
  const roles = { ...ROLE_TOKENS };
  if (value !== undefined && value !== null && !Array.isArray(value)) {
    throw malformedFile('added_tokens is not a list');
  }
  const seen = new Set<string>();
  const addedTokens = ((value ?? []) as unknown[]).map((token): AddedToken => {
    if (!isRecord(token)) throw malformedFile('added_tokens holds something that is not a token');
    const { content, id, role } = token;
    if (typeof content !== 'string' || content === '' || !isId(id)) {
      throw malformedFile('an added token has no content or id');
    }
    if (seen.has(content)) throw malformedFile(`the added token ${quote(content)} occurs twice`);
    seen.add(content);
    const known = idOf.get(content);
    if (known !== undefined && known !== id) {
      throw malformedFile(
        `the added token ${quote(content)} has id ${id}, but ${known} in model.vocab`,
      );
    }
    for (const flag of FLAGS) {
      if (token[flag] !== undefined && typeof token[flag] !== 'boolean') {
        throw malformedFile(`the added token ${quote(content)}: ${flag} is not true or false`);
      }
    }
    if (role !== undefined) {
      if (typeof role !== 'string' || !Object.hasOwn(ROLE_TOKENS, role)) {
        throw malformedFile(`the added token ${quote(content)} has an unknown role`);
      }
      roles[role as Role] = content;
    }
    idOf.set(content, id);
    const special = token['special'] === true || Object.values(ROLE_TOKENS).includes(content);
    return {
      id,
      content,
      single_word: token['single_word'] === true,
      lstrip: token['lstrip'] === true,
      rstrip: token['rstrip'] === true,
      normalized: token['normalized'] === undefined ? !special : token['normalized'] === true,
      special: special || role !== undefined,
    };
  });
  if (new Set(Object.values(roles)).size < 4) throw malformedFile('one token has two roles');
  return { addedTokens, roles };
}

function byId(idOf: ReadonlyMap<string, number>): string[] {
  const vocab = new Array<string | undefined>(idOf.size).fill(undefined);
  for (const [piece, id] of idOf) {
    if (id >= vocab.length) {
      throw malformedFile(`id ${id} leaves a hole: ids must be 0 … ${vocab.length - 1}`);
    }
    if (vocab[id] !== undefined) {
      throw malformedFile(`id ${id} is used twice, by ${quote(vocab[id])} and ${quote(piece)}`);
    }
    vocab[id] = piece;
  }
  // No holes: as many distinct ids in range as there are places.
  return vocab as string[];
}

function readMerges(value: unknown, idOf: ReadonlyMap<string, number>): Merge[] {
  if (!Array.isArray(value)) throw malformedFile('model.merges is missing');
  // Old files begin with the version line of merges.txt.
  const entries = (value as unknown[]).filter(
    (entry) => !(typeof entry === 'string' && entry.startsWith('#version')),
  );
  return entries.map((entry, rank): Merge => {
    const parts: unknown[] =
      typeof entry === 'string' ? entry.split(' ', 3) : Array.isArray(entry) ? entry : [];
    const [left, right] = parts;
    const leftId = typeof left === 'string' ? idOf.get(left) : undefined;
    const rightId = typeof right === 'string' ? idOf.get(right) : undefined;
    if (parts.length !== 2 || leftId === undefined || rightId === undefined) {
      const shown = parts.slice(0, 2).map((part) => (typeof part === 'string' ? quote(part) : '?'));
      throw malformedFile(`merge ${rank} (${shown.join(' + ')}) does not name two tokens`);
    }
    return [leftId, rightId];
  });
}
