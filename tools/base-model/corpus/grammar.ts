/**
 * Reads the grammar files. A plan is one sentence or more in both languages, `English || Spanish`;
 * `# name` opens a section, `@part` a part of it, and `> ask`, `- answer`, `~ curt answer` make the
 * topics of a conversation (a blank line ends a topic). `//` starts a comment line.
 */
import { readFileSync } from 'node:fs';
import type { Bilingual } from '../../../src/core/saltby-world';

export type Plan = Bilingual;

/** Section → part → plans. */
export type Sections = ReadonlyMap<string, ReadonlyMap<string, readonly Plan[]>>;

interface Line {
  text: string;
  where: string;
}

function linesOf(file: string): Line[] {
  const content = readFileSync(new URL(`./grammar/${file}`, import.meta.url), 'utf8');
  return content
    .split('\n')
    .map((text, i) => ({ text: text.trim(), where: `${file}:${i + 1}` }))
    .filter(({ text }) => !text.startsWith('//'));
}

function toPlan({ text, where }: Line): Plan {
  const [en, es, ...rest] = text.split('||').map((side) => side.trim());
  if (!en || !es || rest.length > 0) throw new Error(`${where}: expected "English || Spanish"`);
  return { en, es };
}

/** A file of sections with parts; lines before the first `@part` belong to the part `''`. */
export function readSections(file: string): Sections {
  const sections = new Map<string, Map<string, Plan[]>>();
  let parts: Map<string, Plan[]> | null = null;
  let part = '';
  for (const line of linesOf(file)) {
    if (line.text === '') continue;
    if (line.text.startsWith('# ')) {
      parts = new Map();
      part = '';
      sections.set(line.text.slice(2), parts);
    } else if (line.text.startsWith('@')) part = line.text.slice(1);
    else if (parts === null) throw new Error(`${line.where}: a plan before the first section`);
    else parts.set(part, [...(parts.get(part) ?? []), toPlan(line)]);
  }
  return sections;
}

/** One subject of conversation: what can be asked, and what there is to say. */
export interface Topic {
  asks: readonly Plan[];
  full: readonly Plan[];
  curt: readonly Plan[];
}

/** A file of conversation topics by section. */
export function readTopics(file: string): ReadonlyMap<string, readonly Topic[]> {
  const sections = new Map<string, Topic[]>();
  const lists = { '>': 'asks', '-': 'full', '~': 'curt' } as const;
  let topics: Topic[] = [];
  let topic: Record<'asks' | 'full' | 'curt', Plan[]> | null = null;
  for (const line of linesOf(file)) {
    if (line.text.startsWith('# ')) {
      topics = [];
      sections.set(line.text.slice(2), topics);
      topic = null;
    } else if (line.text === '') topic = null;
    else {
      const list = lists[line.text.charAt(0) as keyof typeof lists];
      if (list === undefined) throw new Error(`${line.where}: expected ">", "-" or "~"`);
      if (topic === null) {
        topic = { asks: [], full: [], curt: [] };
        topics.push(topic);
      }
      topic[list].push(toPlan({ ...line, text: line.text.slice(1) }));
    }
  }
  return sections;
}

/** The part of a section, never empty. */
export function partOf(sections: Sections, section: string, part = ''): readonly Plan[] {
  const plans = sections.get(section)?.get(part);
  if (plans === undefined) throw new Error(`The grammar has no section "${section}" @${part}`);
  return plans;
}
