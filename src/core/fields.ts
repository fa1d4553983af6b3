/**
 * How a hyperparameter is described: one record gives the default, the allowed range, the unit,
 * the plain reason and the source, for the forms, the checks and the documentation alike.
 */
import { PlaygroundError } from './errors';

export interface NumberField {
  kind: 'number';
  default: number;
  min: number;
  max: number;
  integer: boolean;
  /** Slider scale. */
  scale: 'linear' | 'log';
  unit: string;
  label: string;
  /** What it does, one plain sentence. */
  why: string;
  source: string;
  /** Shown only under "More settings". */
  advanced: boolean;
}

export interface ChoiceField<T extends string = string> {
  kind: 'choice';
  default: T;
  options: readonly T[];
  label: string;
  why: string;
  source: string;
  advanced: boolean;
}

export interface FlagField {
  kind: 'flag';
  default: boolean;
  label: string;
  why: string;
  source: string;
  advanced: boolean;
}

export type Field = NumberField | ChoiceField | FlagField;
export type Fields = Record<string, Field>;

type ValueOf<F extends Field> = F extends NumberField
  ? number
  : F extends ChoiceField<infer T>
    ? T
    : boolean;
/** The complete configuration that a set of fields describes. */
export type ConfigOf<S extends Fields> = { [K in keyof S]: ValueOf<S[K]> };

type NumberOptions = Omit<NumberField, 'kind' | 'integer' | 'scale' | 'advanced'> &
  Partial<Pick<NumberField, 'scale' | 'advanced'>>;

/** A real-valued setting. */
export const real = (options: NumberOptions): NumberField => ({
  kind: 'number',
  integer: false,
  scale: 'linear',
  advanced: false,
  ...options,
});

/** A whole-number setting. */
export const whole = (options: NumberOptions): NumberField => ({
  kind: 'number',
  integer: true,
  scale: 'linear',
  advanced: false,
  ...options,
});

/** A setting with named options. */
export const choice = <T extends string>(
  options: Omit<ChoiceField<T>, 'kind' | 'advanced'> & { advanced?: boolean },
): ChoiceField<T> => ({ kind: 'choice', advanced: false, ...options });

/** A yes / no setting. */
export const flag = (
  options: Omit<FlagField, 'kind' | 'advanced'> & { advanced?: boolean },
): FlagField => ({ kind: 'flag', advanced: false, ...options });

/** The reason why `value` is refused for `field`, or null when it is allowed. */
export function fieldProblem(field: Field, value: unknown): string | null {
  switch (field.kind) {
    case 'number': {
      const range = `${field.integer ? 'a whole number ' : ''}from ${field.min} to ${field.max}`;
      if (typeof value !== 'number' || !Number.isFinite(value)) return `must be a number, ${range}`;
      if (field.integer && !Number.isInteger(value)) return `must be ${range}, not ${value}`;
      if (value < field.min || value > field.max) return `must be ${range}, not ${value}`;
      return null;
    }
    case 'choice':
      return typeof value === 'string' && field.options.includes(value)
        ? null
        : `must be one of ${field.options.join(', ')}`;
    case 'flag':
      return typeof value === 'boolean' ? null : 'must be true or false';
  }
}

/** Every default of a set of fields. */
export function defaultsOf<S extends Fields>(fields: S): ConfigOf<S> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, field.default]),
  ) as ConfigOf<S>;
}

/**
 * Completes a partial configuration with defaults and checks every field.
 * @throws PlaygroundError `config` naming the first field that is unknown or out of range.
 */
export function completeConfig<S extends Fields>(
  fields: S,
  partial: Readonly<Record<string, unknown>>,
): ConfigOf<S> {
  for (const [name, value] of Object.entries(partial)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (!field) {
      throw new PlaygroundError({
        code: 'config',
        field: name,
        message: `There is no setting called "${name}".`,
        remedy: `Known settings: ${Object.keys(fields).join(', ')}.`,
      });
    }
    const problem = fieldProblem(field, value);
    if (problem) {
      throw new PlaygroundError({
        code: 'config',
        field: name,
        message: `${field.label} (${name}) ${problem}.`,
        remedy: `The default is ${String(field.default)}.`,
      });
    }
  }
  return { ...defaultsOf(fields), ...partial };
}
