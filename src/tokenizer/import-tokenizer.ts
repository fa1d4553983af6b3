/** Takes over another model's tokenizer: every role of the chat template gets its token. */
import { malformedFile, quote } from './malformed-file';
import { templateIds } from './post-processor';
import { ROLE_TOKENS, type Role } from './special-tokens';
import { specialToken, type Tokenizer } from './tokenizer';
import { buildTokenizer, readTokenizerFile } from './tokenizer-file';

export interface ImportedTokenizer {
  /** Its first `ownTokens` ids are the file's own; the tokens of missing roles follow. */
  tokenizer: Tokenizer;
  ownTokens: number;
  /** The appended tokens, in id order. */
  appended: string[];
  /** What a person should know, one sentence each. */
  facts: string[];
}

/**
 * Reads a foreign `tokenizer.json`. The model's own end-of-text token ends our turns; `<|user|>`,
 * `<|assistant|>`, `<|pad|>` (and `<|end|>`, when no end-of-text token is named) are taken from the
 * vocabulary or appended to it.
 * @param json the parsed file or its text
 * @param endToken the model's `eos_token`, or its id, as its other files name it; null: they do not
 * @throws PlaygroundError `format` naming what is missing, contradictory or would encode differently
 */
export function importTokenizer(
  json: unknown,
  endToken: string | number | null,
): ImportedTokenizer {
  const file = readTokenizerFile(json);
  const ownTokens = file.vocab.length;
  if (endToken !== null) useAsEnd(file, endToken);

  const appended: string[] = [];
  for (const content of [file.roles.end, file.roles.pad, file.roles.user, file.roles.assistant]) {
    if (file.vocab.includes(content)) continue;
    const id = file.vocab.push(content) - 1;
    file.addedTokens = [...file.addedTokens, specialToken(id, content)];
    appended.push(content);
  }
  const tokenizer = buildTokenizer(file);
  return { tokenizer, ownTokens, appended, facts: factsAbout(tokenizer, appended) };
}

function useAsEnd(file: ReturnType<typeof readTokenizerFile>, token: string | number): void {
  const content = typeof token === 'number' ? file.vocab[token] : token;
  const id = content === undefined ? -1 : file.vocab.indexOf(content);
  if (content === undefined || id < 0) {
    throw malformedFile(`the end-of-text token ${quote(String(token))} is not in the vocabulary`);
  }
  const other = (Object.keys(ROLE_TOKENS) as Role[]).find(
    (role) => role !== 'end' && file.roles[role] === content,
  );
  if (other !== undefined) {
    throw malformedFile(`${content} ends the text and is the token of the role ${other} too`);
  }
  file.roles.end = content;
  const known = file.addedTokens.find((added) => added.id === id);
  if (known === undefined) {
    file.addedTokens = [...file.addedTokens, specialToken(id, content)].sort((a, b) => a.id - b.id);
    file.listedTwice = new Set([...file.listedTwice, id]);
  } else known.special = true;
}

function factsAbout(tokenizer: Tokenizer, appended: readonly string[]): string[] {
  const { vocab, endId, rules } = tokenizer;
  const facts = [`A turn ends with the token ${vocab[endId]!}.`];
  if (appended.length > 0) {
    facts.push(
      `The vocabulary had no token for ${appended.join(', ')}: added at its end, their embeddings are the mean of all others.`,
    );
  }
  const { before, after } = templateIds(rules.postProcessor, (token) => vocab.indexOf(token));
  const written = (ids: readonly number[]): string => ids.map((id) => vocab[id]!).join('');
  if (before.length > 0) {
    facts.push(
      `The model expects ${written(before)} before every text: the chat template begins with it.`,
    );
  }
  if (after.length > 0) {
    facts.push(
      `The model's own tokenizer writes ${written(after)} after every text; here only a turn's end token is written.`,
    );
  }
  const missing = tokenizer.bytesWithoutToken;
  if (missing > 0) {
    facts.push(
      `${missing} bytes have no token in this vocabulary; rare characters that need them are ${rules.unkToken === null ? 'left out' : `read as ${rules.unkToken}`}.`,
    );
  }
  return facts;
}
