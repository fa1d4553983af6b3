/**
 * The chat template: `<|user|>{prompt}<|end|><|assistant|>{completion}<|end|>`, after what an imported
 * model expects before every text, with its own end token. No space or newline
 * is added around the texts: prompt and completion are encoded on their own, exactly as given, and
 * both start like a document of the base corpus does, at a word without a leading space. Changing
 * that would move every completion to tokens that the base model rarely saw at a beginning.
 */
import { ASSISTANT_TOKEN, END_TOKEN, USER_TOKEN } from './special-tokens';
import type { Tokenizer } from './tokenizer';

/**
 * The same template for Hugging Face's `apply_chat_template`.
 * @public read by tools/golden/tokenizer_fixture.py, which renders it with transformers
 */
export const CHAT_TEMPLATE =
  "{% for message in messages %}{% if message['role'] == 'user' %}{{ '<|user|>' + message['content'] + '<|end|>' }}" +
  "{% elif message['role'] == 'assistant' %}{{ '<|assistant|>' + message['content'] + '<|end|>' }}" +
  "{% else %}{{ raise_exception('Only the roles user and assistant are known.') }}{% endif %}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";

/** The same template with the tokens of any tokenizer, for the files of an exported model. */
export function chatTemplate(tokenizer: Tokenizer): string {
  const { prefixIds, vocab, rules } = tokenizer;
  const prefix = prefixIds.map((id) => vocab[id]!).join('');
  const template = CHAT_TEMPLATE.replaceAll(`'${END_TOKEN}'`, () => jinjaText(rules.roles.end))
    .replaceAll(`'${USER_TOKEN}'`, () => jinjaText(rules.roles.user))
    .replaceAll(`'${ASSISTANT_TOKEN}'`, () => jinjaText(rules.roles.assistant));
  return prefix === '' ? template : `{{ ${jinjaText(prefix)} }}${template}`;
}

function jinjaText(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

/** Ids up to and including `<|assistant|>`: what a completion is sampled from. */
export function encodePrompt(tokenizer: Tokenizer, prompt: string): number[] {
  const ids = [...tokenizer.prefixIds, tokenizer.userId];
  for (const id of tokenizer.encode(prompt)) ids.push(id);
  ids.push(tokenizer.endId, tokenizer.assistantId);
  return ids;
}

/**
 * A whole dialogue. The first `promptLength` ids are those of `encodePrompt`; the rest is the
 * completion with its `<|end|>`, the part that SFT and rewards look at.
 */
export function encodeDialogue(
  tokenizer: Tokenizer,
  prompt: string,
  completion: string,
): { input_ids: number[]; promptLength: number } {
  const input_ids = encodePrompt(tokenizer, prompt);
  const promptLength = input_ids.length;
  for (const id of tokenizer.encode(completion)) input_ids.push(id);
  input_ids.push(tokenizer.endId);
  return { input_ids, promptLength };
}
