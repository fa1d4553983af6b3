/**
 * What a tokenizer puts around every text: Hugging Face's `post_processor`. `Tokenizer.encode` never
 * does so; the chat template starts with the ids that belong before a text.
 */

/** One step, in the words of `tokenizer.json`. */
export type PostProcessorStep =
  | { type: 'ByteLevel'; add_prefix_space: boolean; trim_offsets: boolean; use_regex: boolean }
  | TemplateStep;

export interface TemplateStep {
  type: 'TemplateProcessing';
  single: TemplatePiece[];
  pair: TemplatePiece[];
  special_tokens: Record<string, { id: string; ids: number[]; tokens: string[] }>;
}

export type TemplatePiece =
  | { SpecialToken: { id: string; type_id: number } }
  | { Sequence: { id: 'A' | 'B'; type_id: number } };

/** Ids that belong before and after one text. `idOf` throws for an unknown token. */
export function templateIds(
  steps: readonly PostProcessorStep[],
  idOf: (token: string) => number,
): { before: number[]; after: number[] } {
  const before: number[] = [];
  const after: number[] = [];
  for (const step of steps) {
    if (step.type !== 'TemplateProcessing') continue;
    let side = before;
    for (const piece of step.single) {
      if ('Sequence' in piece) side = after;
      else
        for (const token of step.special_tokens[piece.SpecialToken.id]!.tokens)
          side.push(idOf(token));
    }
  }
  return { before, after };
}
