/** What the records of src/core/people.ts must look like, in project files and in class files. */
import * as v from 'valibot';
import { ATTRIBUTE_NAMES } from '../core/attributes';
import type {
  Exposure,
  Guideline,
  Labeler,
  Rating,
  RankingDraft,
  SimulatedValues,
} from '../core/people';
import { count, finite, id, text, type Schema } from './schema-parts';

export const harmFlag = v.picklist(['insult', 'threat', 'sexual', 'self-harm', 'privacy', 'other']);

/** Names are shown in tables and become keys; longer ones are a mistake or mischief. */
const MAX_NAME = 80;
export const name = v.pipe(text, v.trim(), v.minLength(1), v.maxLength(MAX_NAME));

export const simulatedValuesSchema: Schema<SimulatedValues> = v.strictObject({
  attribute: v.picklist(ATTRIBUTE_NAMES),
  noise: v.pipe(finite, v.minValue(0)),
  harm_aversion: finite,
  length_bias: finite,
});

export const labelerSchema: Schema<Labeler> = v.strictObject({
  code: name,
  groups: v.pipe(v.array(name), v.maxLength(20)),
  consentedAt: v.nullable(finite),
  simulated: v.nullable(simulatedValuesSchema),
  dailyHarmLimit: v.nullable(count),
});

export const guidelineSchema: Schema<Guideline> = v.strictObject({
  version: v.pipe(count, v.minValue(1)),
  text,
  createdAt: finite,
});

const judgement = v.exactOptional(v.picklist(['yes', 'partly', 'no']));

export const ratingSchema: Schema<Rating> = v.strictObject({
  helpful: judgement,
  truthful: judgement,
  harmless: judgement,
});

export const draftSchema: Schema<RankingDraft> = v.strictObject({
  labeler: name,
  setId: id,
  assigned: v.array(v.nullable(v.pipe(count, v.minValue(1)))),
  flags: v.array(v.array(harmFlag)),
  ratings: v.array(ratingSchema),
  comment: text,
  unsure: v.boolean(),
});

export const exposureSchema: Schema<Exposure> = v.strictObject({
  labeler: name,
  day: v.pipe(text, v.isoDate()),
  texts: count,
});
