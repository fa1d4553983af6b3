/** Most characters of a text from a file that an error message repeats. */
const MAX_SHOWN = 120;

/**
 * A value from a parsed JSON file as an error message shows it: short, whatever the file holds, and
 * without walking into it (a list of 10 000 lists inside each other overflows JSON.stringify).
 */
export function showJson(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) {
    const plain = value.length <= 8 && value.every((item) => typeof item !== 'object');
    return plain ? `[${value.map(showJson).join(', ')}]` : 'a list';
  }
  if (typeof value === 'object' && value !== null) return 'an object';
  const isLong = typeof value === 'string' && value.length > MAX_SHOWN;
  return JSON.stringify(isLong ? `${value.slice(0, MAX_SHOWN)}…` : value);
}
