/** The JSON files of a Hugging Face folder, as `transformers` 4 and 5 read them. */
import type { ModelConfig } from '../../core/domain';
import { chatTemplate } from '../../tokenizer/chat-template';
import type { Tokenizer } from '../../tokenizer/tokenizer';

/** What a folder holds: a model that writes, or one that scores. */
export type ExportKind = 'policy' | 'reward';

/**
 * config.json of a `LlamaForCausalLM`, or of a `LlamaForSequenceClassification` with one label.
 *
 * Such a classifier has no bias, ours has one (it shifts demonstrations to a mean of 0). The bias is
 * recorded exactly as `reward_offset` = −bias: score on the page = logit − `reward_offset`.
 * Differences between scores, all that a ranking needs, are those of the logits.
 */
export function modelConfigJson(
  kind: ExportKind,
  config: ModelConfig,
  tokenizer: Tokenizer,
  scoreBias: number,
): Record<string, unknown> {
  // Listed field by field: key order must not depend on where the config came from, and a field
  // that is added to ModelConfig fails to compile until it is exported.
  const llama: Record<keyof ModelConfig, unknown> = {
    vocab_size: config.vocab_size,
    hidden_size: config.hidden_size,
    intermediate_size: config.intermediate_size,
    num_hidden_layers: config.num_hidden_layers,
    num_attention_heads: config.num_attention_heads,
    num_key_value_heads: config.num_key_value_heads,
    max_position_embeddings: config.max_position_embeddings,
    rms_norm_eps: config.rms_norm_eps,
    rope_theta: config.rope_theta,
    tie_word_embeddings: config.tie_word_embeddings,
  };
  const shared = {
    model_type: 'llama',
    ...llama,
    head_dim: config.hidden_size / config.num_attention_heads,
    hidden_act: 'silu',
    attention_bias: false,
    attention_dropout: 0,
    mlp_bias: false,
    bos_token_id: null,
    eos_token_id: tokenizer.endId,
    // A classifier looks for the last token that is not padding, and cannot score a batch without.
    pad_token_id: tokenizer.padId,
    torch_dtype: 'float32',
  };
  if (kind === 'policy') return { architectures: ['LlamaForCausalLM'], ...shared };
  return {
    architectures: ['LlamaForSequenceClassification'],
    ...shared,
    num_labels: 1,
    id2label: { 0: 'reward' },
    label2id: { reward: 0 },
    problem_type: 'regression',
    reward_offset: -scoreBias,
  };
}

/** tokenizer_config.json with the page's chat template. */
export function tokenizerConfigJson(
  kind: ExportKind,
  config: ModelConfig,
  tokenizer: Tokenizer,
): Record<string, unknown> {
  const content = (id: number): string => tokenizer.vocab[id]!;
  return {
    // The class that takes tokenizer.json as it is; LlamaTokenizer would put SentencePiece's rules
    // in its place.
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: null,
    eos_token: content(tokenizer.endId),
    pad_token: content(tokenizer.padId),
    unk_token: null,
    additional_special_tokens: [content(tokenizer.userId), content(tokenizer.assistantId)],
    // Would delete spaces before punctuation from decoded text.
    clean_up_tokenization_spaces: false,
    // Without token_type_ids, which Llama models refuse.
    model_input_names: ['input_ids', 'attention_mask'],
    model_max_length: config.max_position_embeddings,
    // Generation continues at the right end of a row.
    padding_side: kind === 'policy' ? 'left' : 'right',
    chat_template: chatTemplate(tokenizer),
  };
}

/**
 * generation_config.json: samples as the page does, from the whole distribution.
 * @param temperature divides the logits, > 0
 */
export function generationConfigJson(
  tokenizer: Tokenizer,
  temperature: number,
): Record<string, unknown> {
  return {
    eos_token_id: tokenizer.endId,
    pad_token_id: tokenizer.padId,
    do_sample: true,
    temperature,
    top_k: 0, // transformers' default of 50 would cut the tail off
    top_p: 1,
  };
}
