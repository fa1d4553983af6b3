/** What the schemas of stored and imported records are made of. */
import * as v from 'valibot';

/** Any input that validates to T. */
export type Schema<T> = v.GenericSchema<unknown, T>;

export const text = v.string();
export const finite = v.pipe(v.number(), v.finite());
export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** Ids become file names inside an archive. */
export const id = v.pipe(
  text,
  v.regex(/^[\w-]{1,128}$/, 'must be 1 to 128 letters, digits, - or _'),
);
