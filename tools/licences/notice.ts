/** THIRD-PARTY.txt: whose code is in the build, under which licence, with its text. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

export const NOTICE = 'THIRD-PARTY.txt';
/** Licences that the project accepts in what it ships. */
export const ACCEPTED = ['Apache-2.0', 'BSD-3-Clause', 'ISC', 'MIT', 'OFL-1.1'];
/** Some packages name Apache-2.0 and leave its text out; this one brings it. */
const APACHE_TEXT = 'node_modules/long/LICENSE';

interface Package {
  name: string;
  version: string;
  licence: string;
  text: string;
}

/** The folder of the package that a module is in, or null for a module of our own. */
export function packageFolder(moduleId: string): string | null {
  const path = moduleId.replace(/[?\0].*$/s, '');
  const match = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path);
  return match?.[1] ?? null;
}

/** @throws Error for a licence that is not among ACCEPTED, or without its text */
export function readPackage(folder: string): Package {
  const { name, version, license } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  ) as { name: string; version: string; license?: string };
  if (license === undefined || !ACCEPTED.includes(license)) {
    throw new Error(`${name} has the licence ${license}: only ${ACCEPTED.join(', ')} are shipped`);
  }
  const text = licenceText(folder, license);
  if (text === null) throw new Error(`${name} does not bring the text of its licence`);
  return { name, version, licence: license, text: text.trim() };
}

/** From a file of its own, or from the end of the README. */
function licenceText(folder: string, licence: string): string | null {
  const files = readdirSync(folder);
  const own = files.find((file) => /^licen[cs]e/i.test(file));
  if (own !== undefined) return readFileSync(join(folder, own), 'utf8');
  if (licence === 'Apache-2.0') return readFileSync(APACHE_TEXT, 'utf8');
  const readme = files.find((file) => /^readme/i.test(file));
  if (readme === undefined) return null;
  return (
    /^LICENSE\b.*\n-+\n([\s\S]+)$/m.exec(readFileSync(join(folder, readme), 'utf8'))?.[1] ?? null
  );
}

/** Equal texts stand there once, below all packages that they are for. */
export function noticeOf(packages: readonly Package[]): string {
  const byText = new Map<string, Package[]>();
  for (const one of packages) byText.set(one.text, [...(byText.get(one.text) ?? []), one]);
  const parts = [...byText].map(
    ([text, own]) =>
      `${own.map(({ name, version, licence }) => `${name} ${version} (${licence})`).join('\n')}\n\n${text}\n`,
  );
  return ['The RLHF Playground contains work of others, under these licences.\n', ...parts].join(
    `\n${'-'.repeat(80)}\n`,
  );
}

/**
 * Two plugins that share what they see: one for the page's build, which writes the notice, and one for
 * its workers, which Vite builds on their own.
 */
export function thirdPartyNotice(): { page: Plugin; worker: () => Plugin } {
  const folders = new Set<string>();
  const look = (ids: Iterable<string>): void => {
    for (const id of ids) {
      const folder = packageFolder(id);
      if (folder !== null) folders.add(folder);
    }
  };
  return {
    page: {
      name: 'third-party-notice',
      apply: 'build',
      generateBundle() {
        look(this.getModuleIds());
        const packages = [...folders].sort().map(readPackage);
        this.emitFile({ type: 'asset', fileName: NOTICE, source: noticeOf(packages) });
      },
    },
    worker: () => ({
      name: 'third-party-notice-of-workers',
      generateBundle() {
        look(this.getModuleIds());
      },
    }),
  };
}
