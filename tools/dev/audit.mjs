/**
 * `npm run audit`: known holes in what we depend on, from the registry; high and critical ones fail.
 * Some registries (mirrors, mostly) have no audit endpoint. Then nothing is known, and this says so
 * loudly, with status 0: it is not the project's fault, and it is no clean result either.
 */
import { pathToFileURL } from 'node:url';
import { run } from './process.mjs';

const TIMEOUT_MS = 2 * 60_000;

/**
 * What `npm audit --json` found.
 * @param {string} output
 * @param {number} code exit status
 * @returns {{ verdict: 'clean' | 'holes' | 'unknown', text: string }}
 */
export function readAudit(output, code) {
  /** @type {{ metadata?: { vulnerabilities?: Record<string, number> }, vulnerabilities?: Record<string, { severity: string }>, message?: string } | null} */
  let report = null;
  try {
    report = JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1));
  } catch {
    // no report: said below
  }
  const counts = report?.metadata?.vulnerabilities;
  if (counts === undefined) {
    const reason = report?.message ?? output.trim().split('\n').at(-1) ?? '';
    return {
      verdict: 'unknown',
      text: `NOT AUDITED: this registry answers no audit (${reason}). Run it again where one does.`,
    };
  }
  const bad = Object.entries(report?.vulnerabilities ?? {})
    .filter(([, { severity }]) => severity === 'high' || severity === 'critical')
    .map(([name, { severity }]) => `${severity}: ${name}`);
  if (bad.length > 0 || code !== 0) return { verdict: 'holes', text: bad.join('\n') };
  return {
    verdict: 'clean',
    text: `No known hole of level high or above (${JSON.stringify(counts)}).`,
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const end = await run('npm', ['audit', '--json', '--audit-level=high'], {
    quiet: true,
    timeoutMs: TIMEOUT_MS,
  });
  const { verdict, text } = readAudit(end.output, end.code);
  console.log(text);
  process.exit(verdict === 'holes' ? 1 : 0);
}
