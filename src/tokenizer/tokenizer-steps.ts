/** Reads `pre_tokenizer` and `post_processor` of a `tokenizer.json`, rebuilt field by field. */
import { describeType, isRecord, malformedFile, quote } from './malformed-file';
import type { PostProcessorStep, TemplatePiece, TemplateStep } from './post-processor';
import type { ByteLevelStep, DigitsStep, PreTokenizerStep, SplitStep } from './pre-tokenize';

/** More steps than any known tokenizer has. */
const MAX_STEPS = 16;
const MAX_TEMPLATE = 16;

type Fields = Record<string, unknown>;

/**
 * The steps of a pre-tokenizer; the last is ByteLevel, which turns words into bytes.
 * @throws PlaygroundError `format` naming the step that is not supported
 */
export function readPreTokenizer(value: unknown): PreTokenizerStep[] {
  const steps = stepsOf(value, 'pre_tokenizer', 'pretokenizers').map(readPreTokenizerStep);
  const places = steps.flatMap(({ type }, at) => (type === 'ByteLevel' ? [at] : []));
  if (places.length !== 1 || places[0] !== steps.length - 1) {
    throw malformedFile('pre_tokenizer must have ByteLevel once, as its last step');
  }
  return steps;
}

/** A single step, or those of a Sequence; nothing is no step. */
function stepsOf(value: unknown, field: string, list: string): Fields[] {
  if (value === undefined || value === null) return [];
  if (!isRecord(value)) throw malformedFile(`${field} is not an object`);
  if (value['type'] !== 'Sequence') return [value];
  const steps: unknown = value[list];
  if (!Array.isArray(steps) || steps.length > MAX_STEPS || !steps.every(isRecord)) {
    throw malformedFile(`${field}.${list} is not a list of up to ${MAX_STEPS} steps`);
  }
  return steps;
}

function readPreTokenizerStep(step: Fields): PreTokenizerStep {
  switch (step['type']) {
    case 'ByteLevel':
      return byteLevel(step, 'pre_tokenizer');
    case 'Digits':
      return digits(step);
    case 'Split':
      return split(step);
    default:
      throw malformedFile(
        `pre_tokenizer ${describeType(step)} is not supported; ByteLevel, Digits and Split are`,
      );
  }
}

function flag(step: Fields, name: string, where: string, whenMissing: boolean): boolean {
  const value = step[name];
  if (value === undefined) return whenMissing;
  if (typeof value !== 'boolean') throw malformedFile(`${where}.${name} is not true or false`);
  return value;
}

function byteLevel(step: Fields, where: string): ByteLevelStep {
  return {
    type: 'ByteLevel',
    add_prefix_space: flag(step, 'add_prefix_space', where, true),
    trim_offsets: flag(step, 'trim_offsets', where, true),
    use_regex: flag(step, 'use_regex', where, true),
  };
}

function digits(step: Fields): DigitsStep {
  return { type: 'Digits', individual_digits: flag(step, 'individual_digits', 'Digits', false) };
}

function split(step: Fields): SplitStep {
  const { pattern, behavior } = step;
  if (behavior !== 'Isolated' && behavior !== 'Removed') {
    throw malformedFile(
      `Split with the behavior ${describeType(behavior)} is not supported; Isolated and Removed are`,
    );
  }
  const invert = flag(step, 'invert', 'Split', false);
  const { Regex: regex, String: text } = isRecord(pattern) ? pattern : {};
  if (typeof regex === 'string')
    return { type: 'Split', pattern: { Regex: regex }, behavior, invert };
  if (typeof text === 'string' && text !== '') {
    return { type: 'Split', pattern: { String: text }, behavior, invert };
  }
  throw malformedFile('the pattern of a Split is neither a Regex nor a String');
}

/**
 * The steps of a post-processor.
 * @throws PlaygroundError `format` naming the step that is not supported
 */
export function readPostProcessor(
  value: unknown,
  idOf: ReadonlyMap<string, number>,
): PostProcessorStep[] {
  return stepsOf(value, 'post_processor', 'processors').map((step): PostProcessorStep => {
    if (step['type'] === 'ByteLevel') return byteLevel(step, 'post_processor');
    if (step['type'] === 'TemplateProcessing') return template(step, idOf);
    throw malformedFile(
      `post_processor ${describeType(step)} is not supported; ByteLevel and TemplateProcessing are`,
    );
  });
}

function template(step: Fields, idOf: ReadonlyMap<string, number>): TemplateStep {
  const described = step['special_tokens'];
  if (!isRecord(described)) throw malformedFile('TemplateProcessing has no special_tokens');
  const known: [string, { id: string; ids: number[]; tokens: string[] }][] = [];
  for (const [name, token] of Object.entries(described).slice(0, MAX_TEMPLATE)) {
    const { ids, tokens } = isRecord(token) ? token : {};
    if (!Array.isArray(ids) || !Array.isArray(tokens) || tokens.length > MAX_TEMPLATE) {
      throw malformedFile(`TemplateProcessing: ${quote(name)} has no list of ids and tokens`);
    }
    const agree = tokens.every(
      (content, i) => typeof content === 'string' && idOf.get(content) === ids[i],
    );
    if (!agree || ids.length !== tokens.length) {
      throw malformedFile(`TemplateProcessing: ${quote(name)} names tokens with other ids`);
    }
    known.push([name, { id: name, ids: ids as number[], tokens: tokens as string[] }]);
  }
  const special_tokens = Object.fromEntries(known);
  const pieces = (list: unknown): TemplatePiece[] => {
    if (!Array.isArray(list) || list.length > MAX_TEMPLATE) {
      throw malformedFile(`TemplateProcessing is not a list of up to ${MAX_TEMPLATE} pieces`);
    }
    return list.map((piece) => templatePiece(piece, special_tokens));
  };
  const single = pieces(step['single']);
  if (single.filter((piece) => 'Sequence' in piece).length !== 1) {
    throw malformedFile('TemplateProcessing does not hold the text exactly once');
  }
  return { type: 'TemplateProcessing', single, pair: pieces(step['pair'] ?? []), special_tokens };
}

function templatePiece(value: unknown, described: TemplateStep['special_tokens']): TemplatePiece {
  const { SpecialToken: token, Sequence: sequence } = isRecord(value) ? value : {};
  const inner = isRecord(token) ? token : sequence;
  const { id, type_id } = isRecord(inner) ? inner : {};
  if (Number.isInteger(type_id)) {
    const typed = { type_id: type_id as number };
    if (inner === sequence && (id === 'A' || id === 'B')) return { Sequence: { id, ...typed } };
    if (inner === token && typeof id === 'string' && Object.hasOwn(described, id)) {
      return { SpecialToken: { id, ...typed } };
    }
  }
  throw malformedFile('TemplateProcessing holds a piece that is neither a text nor a known token');
}
