/**
 * Finds a Chromium that gives a WebGPU adapter, and installs one where there is none.
 * The tests need an adapter, not a GPU: Chromium brings a software one (SwiftShader).
 */
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { run, runTool } from './process.mjs';

/**
 * What every browser of the tests is started with. `--enable-unsafe-webgpu` offers the software
 * adapter on machines that have no GPU or an unlisted one; `--no-sandbox` is needed as root.
 * CHROME_ARGS adds flags, e.g. `--enable-features=Vulkan` to use a GPU on Linux.
 */
export const CHROMIUM_ARGS = [
  '--enable-unsafe-webgpu',
  ...(process.platform === 'linux' ? ['--no-sandbox'] : []),
  ...(process.env['CHROME_ARGS'] ?? '').split(' ').filter((flag) => flag !== ''),
];

const INSTALL_TIMEOUT_MS = 5 * 60_000;

/** @returns {string[]} where Playwright keeps the browsers it downloaded, newest first */
function playwrightBrowsers() {
  const folder =
    process.env['PLAYWRIGHT_BROWSERS_PATH'] ??
    {
      darwin: join(homedir(), 'Library/Caches/ms-playwright'),
      win32: join(process.env['LOCALAPPDATA'] ?? '', 'ms-playwright'),
    }[/** @type {string} */ (process.platform)] ??
    join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'ms-playwright');
  if (!existsSync(folder)) return [];
  const inside = [
    'chrome-linux64/chrome',
    'chrome-linux/chrome',
    'chrome-win64/chrome.exe',
    'chrome-win/chrome.exe',
    ...['arm64', 'x64'].map(
      (arch) =>
        `chrome-mac-${arch}/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing`,
    ),
    'chrome-mac/Chromium.app/Contents/MacOS/Chromium',
  ];
  return readdirSync(folder)
    .filter((name) => /^chromium-\d+$/.test(name))
    .sort((a, b) => Number(b.split('-')[1]) - Number(a.split('-')[1]))
    .flatMap((name) => inside.map((path) => join(folder, name, path)));
}

/** @returns {string[]} where the platform's installers put Chrome, Chromium and Edge */
function installedBrowsers() {
  if (process.platform === 'darwin') {
    return ['Google Chrome', 'Chromium', 'Microsoft Edge'].map(
      (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
    );
  }
  if (process.platform === 'win32') {
    return ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].flatMap((variable) =>
      ['Google/Chrome/Application/chrome.exe', 'Microsoft/Edge/Application/msedge.exe'].map(
        (path) => join(process.env[variable] ?? '', path),
      ),
    );
  }
  const names = [
    'google-chrome',
    'google-chrome-stable',
    'chromium',
    'chromium-browser',
    'microsoft-edge',
    'microsoft-edge-stable',
  ];
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)));
}

/** @returns {string[]} browsers that exist here, the preferred one first */
export function presentBrowsers() {
  const chosen = process.env['CHROME_BIN'];
  if (chosen !== undefined && chosen !== '') return [chosen];
  return [...installedBrowsers(), ...playwrightBrowsers()].filter((path) => existsSync(path));
}

/**
 * Starts the browser and asks it for an adapter.
 * @param {string} executablePath
 * @returns {Promise<{ adapter: string } | { problem: string }>}
 */
export async function probe(executablePath) {
  const { chromium } = await import('playwright');
  const { createServer } = await import('node:http');
  // WebGPU exists only in secure contexts, and localhost is one; about:blank is not.
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>probe</title>');
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', () => listening(undefined)));
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  let browser;
  try {
    browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGS, timeout: 60_000 });
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${address.port}/`);
    const adapter = await page.evaluate(async () => {
      const found = await navigator.gpu?.requestAdapter();
      return found && `${found.info.vendor} ${found.info.architecture}`.trim();
    });
    if (adapter === null || adapter === undefined) return { problem: 'no WebGPU adapter' };
    return { adapter: `Chromium ${browser.version()}, WebGPU adapter ${adapter}` };
  } catch (error) {
    return { problem: String(error).split('\n')[0] ?? 'does not start' };
  } finally {
    await browser?.close();
    server.close();
  }
}

/**
 * The ways to get a browser, in the order in which they are tried. Each may fail: what counts is
 * whether a browser works afterwards.
 * @type {(() => Promise<unknown>)[]}
 */
const INSTALLERS = [
  () => {
    console.log('Downloading Chromium with Playwright …');
    return runTool('playwright/cli.js', ['install', '--no-shell', 'chromium'], {
      timeoutMs: INSTALL_TIMEOUT_MS,
    });
  },
  async () => {
    if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
    console.log('Installing the system libraries of Chromium …');
    await runTool('playwright/cli.js', ['install-deps', 'chromium'], {
      timeoutMs: INSTALL_TIMEOUT_MS,
      quiet: true,
    });
  },
  async () => {
    if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
    console.log('Installing Chromium with apt-get …');
    const options = {
      env: { DEBIAN_FRONTEND: 'noninteractive' },
      timeoutMs: INSTALL_TIMEOUT_MS,
      quiet: true,
    };
    await run('apt-get', ['update'], options);
    await run('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], options);
  },
];

/**
 * @returns {Promise<string>} the path of a Chromium with a WebGPU adapter
 * @throws Error that lists what was tried and what to do
 */
export async function findChromium() {
  /** @type {Map<string, string>} */
  const refused = new Map();
  for (const install of [undefined, ...INSTALLERS]) {
    await install?.();
    for (const path of presentBrowsers()) {
      const result = await probe(path);
      if ('adapter' in result) {
        console.log(`Browser: ${path} (${result.adapter})`);
        return path;
      }
      refused.set(path, result.problem);
    }
    // A browser chosen by hand is used or refused, never silently replaced.
    if (process.env['CHROME_BIN']) break;
  }
  const tried = [...refused].map(([path, problem]) => `  ${path}: ${problem}`);
  throw new Error(
    [
      'No Chromium with WebGPU was found, and none could be installed.',
      ...tried,
      'Install Chrome or Chromium 113 or newer, or set CHROME_BIN to its path.',
    ].join('\n'),
  );
}
