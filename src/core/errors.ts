/**
 * Typed errors. Each names what is wrong (field, file, tensor, kernel or step) and what to do next.
 * `code` survives structured cloning through the worker boundary; class identity does not.
 */
export type ErrorCode =
  | 'config' // a setting outside its range
  | 'argument' // a bad argument to window.rlhf
  | 'input' // pasted or dropped data that cannot be used
  | 'format' // a file that is not what it claims to be
  | 'missing' // an earlier stage has not produced what this one needs
  | 'busy' // another run is under way
  | 'read-only' // another tab writes to this project
  | 'engine' // no usable backend, failed kernel, refused limit
  | 'device-lost'
  | 'non-finite' // NaN or infinity in loss, gradient or weights
  | 'storage'
  | 'not-found';

export interface ErrorDetails {
  code: ErrorCode;
  message: string;
  /** The setting, argument, file, tensor or kernel at fault, e.g. `learning_rate`. */
  field?: string;
  /** What the person can do about it, one sentence. */
  remedy?: string;
}

export class PlaygroundError extends Error {
  readonly code: ErrorCode;
  readonly field: string | undefined;
  readonly remedy: string | undefined;

  constructor(details: ErrorDetails) {
    super(details.message);
    this.name = 'PlaygroundError';
    this.code = details.code;
    this.field = details.field;
    this.remedy = details.remedy;
  }

  /** A plain object that can cross `postMessage`. */
  toDetails(): ErrorDetails {
    return {
      code: this.code,
      message: this.message,
      ...(this.field === undefined ? {} : { field: this.field }),
      ...(this.remedy === undefined ? {} : { remedy: this.remedy }),
    };
  }
}

/** Turns anything thrown into details that can cross the worker boundary. */
export function toErrorDetails(thrown: unknown): ErrorDetails {
  if (thrown instanceof PlaygroundError) return thrown.toDetails();
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: 'engine', message };
}
