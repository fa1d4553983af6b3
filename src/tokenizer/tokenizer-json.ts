/** Writes Hugging Face's `tokenizer.json`, and reads the tokenizers of this page back. */
import type { AddedToken } from './added-tokens';
import type { PostProcessorStep } from './post-processor';
import type { ByteLevelStep, PreTokenizerStep } from './pre-tokenize';
import { ROLE_TOKENS, type Role } from './special-tokens';
import type { Tokenizer } from './tokenizer';
import { malformedFile } from './malformed-file';
import { buildTokenizer, readTokenizerFile } from './tokenizer-file';

/** The parts of Hugging Face's `tokenizer.json` that are written here. */
export interface TokenizerJson {
  version: '1.0';
  truncation: null;
  padding: null;
  added_tokens: AddedTokenJson[];
  normalizer: { type: 'NFC' } | null;
  pre_tokenizer: PreTokenizerStep | { type: 'Sequence'; pretokenizers: PreTokenizerStep[] };
  post_processor: PostProcessorStep | { type: 'Sequence'; processors: PostProcessorStep[] } | null;
  decoder: ByteLevelStep;
  model: {
    type: 'BPE';
    dropout: null;
    unk_token: string | null;
    continuing_subword_prefix: null;
    end_of_word_suffix: null;
    fuse_unk: boolean;
    byte_fallback: boolean;
    ignore_merges: boolean;
    vocab: Record<string, number>;
    merges: string[];
  };
}

/**
 * `role` says which of the four roles a token with another name plays (`</s>` as `end`). Hugging
 * Face `tokenizers` passes over a field of an added token that it does not know.
 */
interface AddedTokenJson extends AddedToken {
  role?: Role;
}

/**
 * The tokenizer as a `tokenizer.json` object that Hugging Face `tokenizers` loads with equal ids.
 * (There a special token typed in a text is parsed as special: `encode(…, { allowSpecial: true })`.)
 */
export function toTokenizerJson(tokenizer: Tokenizer): TokenizerJson {
  const { vocab, merges, rules } = tokenizer;
  const added = new Set(rules.addedTokens.map(({ id }) => id));
  const inModel = (id: number): boolean => !added.has(id) || rules.listedTwice.has(id);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: rules.addedTokens.map((token) => withRole(token, rules.roles)),
    normalizer: rules.normalizer === null ? null : { type: rules.normalizer },
    pre_tokenizer:
      rules.preTokenizer.length === 1
        ? rules.preTokenizer[0]!
        : { type: 'Sequence', pretokenizers: [...rules.preTokenizer] },
    post_processor:
      rules.postProcessor.length > 1
        ? { type: 'Sequence', processors: [...rules.postProcessor] }
        : (rules.postProcessor[0] ?? null),
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: rules.unkToken,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: rules.ignoreMerges,
      vocab: Object.fromEntries(
        vocab.map((piece, id): [string, number] => [piece, id]).filter(([, id]) => inModel(id)),
      ),
      // "a b" strings are read by every version of the library; pairs only since 0.20.
      merges: merges.map(([left, right]) => `${vocab[left]!} ${vocab[right]!}`),
    },
  };
}

function withRole(token: AddedToken, roles: Readonly<Record<Role, string>>): AddedTokenJson {
  const role = (Object.keys(ROLE_TOKENS) as Role[]).find((name) => roles[name] === token.content);
  return role === undefined || ROLE_TOKENS[role] === token.content
    ? { ...token }
    : { ...token, role };
}

/**
 * Reads a `tokenizer.json` (the parsed object or its text) that names a token for each of the four
 * roles, as every file written here does.
 * @throws PlaygroundError `format` naming what is missing, contradictory or would encode differently
 */
export function fromTokenizerJson(json: unknown): Tokenizer {
  const file = readTokenizerFile(json);
  for (const [role, content] of Object.entries(file.roles)) {
    if (!file.vocab.includes(content)) {
      throw malformedFile(`the special token ${content} (${role}) is missing`);
    }
  }
  return buildTokenizer(file);
}
