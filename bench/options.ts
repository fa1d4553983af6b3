/** Command-line options that are lists of known names. */

/**
 * The names of a comma-separated option.
 * @throws Error naming the option and what it may hold
 */
export function listed<T extends string>(option: string, text: string, known: readonly T[]): T[] {
  return text.split(',').map((name) => {
    const found = known.find((one) => one === name);
    if (found !== undefined) return found;
    throw new Error(`--${option}: ${name} is not one of ${known.join(', ')}`);
  });
}

/** @throws Error unless the text is a whole number of at least 1 */
export function counted(option: string, text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new Error(`--${option}: ${text} is not a whole number of at least 1`);
}
