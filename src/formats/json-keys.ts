/**
 * The first key that occurs twice in one object of `json`, or null. `JSON.parse` keeps the last of
 * them without a word, so two readers of one file could see different tensors.
 * @param json valid JSON (it must have passed `JSON.parse`)
 */
export function findDuplicateKey(json: string): string | null {
  /** One entry for each open bracket: the keys seen in an object, null for an array. */
  const open: (Set<string> | null)[] = [];
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/gs;
  for (const match of json.matchAll(token)) {
    const text = match[0];
    if (text === '{') open.push(new Set());
    else if (text === '[') open.push(null);
    else if (text === '}' || text === ']') open.pop();
    else if (match[1] !== undefined) {
      const key = JSON.parse(text.slice(0, text.length - match[1].length)) as string;
      const keys = open.at(-1);
      if (keys?.has(key) === true) return key;
      keys?.add(key);
    }
  }
  return null;
}
