/** What others wrote: known holes, and licences. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readAudit } from '../../../tools/dev/audit.mjs';
import { ACCEPTED, noticeOf, packageFolder, readPackage } from '../../../tools/licences/notice';

const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  dependencies: Record<string, string>;
};
const rows = readFileSync('docs/dependencies.md', 'utf8')
  .split('## For development')[0]!
  .split('\n')
  .filter((line) => line.startsWith('| `'));
/** `@tensorflow/tfjs-core`, `-backend-wasm` stand in one row. */
const rowOf = (name: string): string | undefined =>
  rows.find((row) => row.includes(`\`${name}\``)) ??
  rows.find((row) => row.includes(`\`${name.replace('@tensorflow/tfjs', '')}\``));

describe('licences', () => {
  it.each(Object.keys(dependencies))('%s is listed with the licence it has', (name) => {
    const { licence, text } = readPackage(`node_modules/${name}`);
    expect(rowOf(name)?.split('|').at(-2)?.trim()).toBe(licence);
    expect(text.length).toBeGreaterThan(500);
  });

  it('a licence that is not accepted, or has no text, stops the build', () => {
    const folder = mkdtempSync(join(tmpdir(), 'package-'));
    const write = (licence: string): void =>
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'x', version: '1', license: licence })); // prettier-ignore
    write('GPL-3.0');
    expect(() => readPackage(folder)).toThrow(/x has the licence GPL-3.0/);
    write('MIT');
    expect(() => readPackage(folder)).toThrow(/does not bring the text/);
    writeFileSync(join(folder, 'LICENSE.md'), 'Do as you like.');
    expect(readPackage(folder)).toEqual({ name: 'x', version: '1', licence: 'MIT', text: 'Do as you like.' }); // prettier-ignore
    expect(ACCEPTED).not.toContain('GPL-3.0');
  });

  it('modules are told apart by their package, own ones left out', () => {
    expect(packageFolder('/a/node_modules/@x/y/dist/z.js?worker')).toBe('/a/node_modules/@x/y');
    expect(packageFolder('/a/node_modules/p/node_modules/q/i.js')).toBe('/a/node_modules/p/node_modules/q'); // prettier-ignore
    expect(packageFolder('/a/src/main.ts')).toBeNull();
  });

  it('equal texts stand in the notice once', () => {
    const one = { name: 'a', version: '1', licence: 'MIT', text: 'T' };
    const notice = noticeOf([one, { ...one, name: 'b' }, { ...one, name: 'c', text: 'U' }]);
    expect(notice).toContain('a 1 (MIT)\nb 1 (MIT)\n\nT\n');
    expect(notice).toContain('c 1 (MIT)\n\nU\n');
  });
});

describe('npm audit', () => {
  const report = (severity: string): string =>
    JSON.stringify({
      vulnerabilities: { leftpad: { severity } },
      metadata: { vulnerabilities: { [severity]: 1 } },
    });

  it('fails for holes of level high and critical, and not below', () => {
    expect(readAudit(report('high'), 1)).toEqual({ verdict: 'holes', text: 'high: leftpad' });
    expect(readAudit(report('critical'), 1).verdict).toBe('holes');
    expect(readAudit(report('moderate'), 0).verdict).toBe('clean');
  });

  it('never takes a registry without an audit endpoint for a clean result', () => {
    const answer = '{ "message": "405 Method Not Allowed", "statusCode": 405 }';
    for (const output of [answer, '', 'npm error audit endpoint returned an error']) {
      const { verdict, text } = readAudit(output, 1);
      expect(verdict).toBe('unknown');
      expect(text).toContain('NOT AUDITED');
    }
    expect(readAudit(answer, 1).text).toContain('405 Method Not Allowed');
  });
});
