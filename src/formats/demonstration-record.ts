/**
 * One record → prompt and completion, whatever public data set shape it has: TRL
 * prompt / completion (strings or messages) and messages, Alpaca, Dolly, ShareGPT. Keys are looked
 * up in a Map of own entries, so a key such as `__proto__` is only a name.
 */
import { showJson } from './show-json';

export interface Exchange {
  prompt: string;
  completion: string;
  /** Set when a part of the record was left out. */
  warning?: string;
}
/** An exchange, or the reason why the record has none. */
export type RecordResult = Exchange | { reason: string };

/** Accepted names, in order of preference. Case does not matter. */
const PROMPT_KEYS = ['prompt', 'instruction', 'question'];
/** Joined to the prompt by a blank line when present: Alpaca `input`, Dolly `context`. */
const CONTEXT_KEYS = ['input', 'context'];
const COMPLETION_KEYS = ['completion', 'response', 'output', 'answer'];
const CONVERSATION_KEYS = ['messages', 'conversations'];

export const EXPECTED_NAMES =
  'prompt and completion, messages, instruction / input / output, instruction / context / response, or conversations';

type Role = 'system' | 'user' | 'assistant';
const ROLES: ReadonlyMap<string, Role> = new Map([
  ['system', 'system'],
  ['user', 'user'],
  ['human', 'user'],
  ['assistant', 'assistant'],
  ['gpt', 'assistant'],
  ['bot', 'assistant'],
]);

/** Whether column or field names are enough to make demonstrations of. */
export function namesExchange(names: readonly string[]): boolean {
  const known = new Set(names.map(normalizeName));
  const has = (keys: readonly string[]): boolean => keys.some((key) => known.has(key));
  return has(PROMPT_KEYS) && has(COMPLETION_KEYS);
}

function normalizeName(name: string): string {
  return name.trim().toLowerCase();
}

/** Reads `[name, value]` entries of one record. Never throws. */
export function readRecord(entries: readonly (readonly [string, unknown])[]): RecordResult {
  const fields = new Map(entries.map(([name, value]) => [normalizeName(name), value]));
  const pick = (keys: readonly string[]): [string, unknown] | null => {
    const key = keys.find((candidate) => fields.has(candidate));
    return key === undefined ? null : [key, fields.get(key)];
  };

  const conversation = pick(CONVERSATION_KEYS);
  if (conversation !== null) return readConversation(conversation[1]);

  const prompt = pick(PROMPT_KEYS);
  const completion = pick(COMPLETION_KEYS);
  if (prompt === null && completion === null) {
    return { reason: `no known fields; expected ${EXPECTED_NAMES}` };
  }
  if (prompt === null) return { reason: `no prompt: expected ${PROMPT_KEYS.join(', ')}` };
  if (completion === null) {
    return { reason: `no completion: expected ${COMPLETION_KEYS.join(', ')}` };
  }
  // TRL also writes prompt and completion as lists of messages.
  if (Array.isArray(prompt[1]) && Array.isArray(completion[1])) {
    return readConversation([...(prompt[1] as unknown[]), ...(completion[1] as unknown[])]);
  }
  const context = pick(CONTEXT_KEYS);
  for (const [name, value] of [prompt, completion]) {
    if (typeof value !== 'string') return { reason: `${name} is not text` };
  }
  if (context !== null && context[1] !== null && typeof context[1] !== 'string') {
    return { reason: `${context[0]} is not text` };
  }
  return {
    prompt: joinParagraphs([prompt[1] as string, (context?.[1] ?? '') as string]),
    completion: completion[1] as string,
  };
}

function joinParagraphs(parts: readonly string[]): string {
  return parts.filter((part) => part.trim() !== '').join('\n\n');
}

/**
 * The first exchange of a conversation. System text and all that the user says before the first
 * answer form the prompt; later turns are left out, because a prompt here has one completion.
 */
function readConversation(value: unknown): RecordResult {
  if (!Array.isArray(value)) return { reason: 'messages is not a list' };
  const before: string[] = [];
  let asked = false;
  for (const [index, message] of (value as unknown[]).entries()) {
    const turn = readMessage(message);
    if (typeof turn === 'string') return { reason: `message ${index + 1}: ${turn}` };
    if (turn.role === 'assistant') {
      if (!asked) return { reason: `message ${index + 1}: the assistant speaks before the user` };
      const rest = value.length - index - 1;
      return {
        prompt: joinParagraphs(before),
        completion: turn.text,
        ...(rest === 0
          ? {}
          : { warning: `only the first exchange is used; ${rest} later messages are left out` }),
      };
    }
    asked ||= turn.role === 'user';
    before.push(turn.text);
  }
  return { reason: 'the conversation has no answer of the assistant' };
}

function readMessage(message: unknown): { role: Role; text: string } | string {
  if (typeof message !== 'object' || message === null) return 'it is not an object';
  const fields = new Map<string, unknown>(Object.entries(message));
  const name = fields.get('role') ?? fields.get('from');
  const role = typeof name === 'string' ? ROLES.get(normalizeName(name)) : undefined;
  if (role === undefined) return `the role ${showJson(name)} is not known`;
  const text = readContent(fields.get('content') ?? fields.get('value'));
  return text === null ? 'its content is not text' : { role, text };
}

/** A string, or a list of `{type: 'text', text}` parts. */
function readContent(content: unknown): string | null {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return null;
  const parts = (content as unknown[]).map((part) =>
    typeof part === 'object' && part !== null ? (part as { text?: unknown }).text : null,
  );
  return parts.every((part) => typeof part === 'string') ? parts.join('') : null;
}
