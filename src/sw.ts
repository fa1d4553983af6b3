/**
 * Keeps the release that the page came with, so that it opens and trains without a network. A new
 * release is fetched beside the old one and waits until the page asks for it: never in the middle of
 * a run. Nothing here touches what people have stored.
 */
import type { Release, ReleaseFile } from './core/release';

declare const self: ServiceWorkerGlobalScope;

/** tools/offline/release.ts writes the files of the build in here. */
const release = JSON.parse('%RELEASE%') as Release;

/** Other copies of this page may live on the same origin, in other folders. */
const OWN_CACHES = `rlhf-playground ${self.registration.scope} `;
const CACHE = OWN_CACHES + release.version;
/** Under this name a cache keeps the list of its files. */
const LIST = 'release.json';
const TOGETHER = 4;

const byPath = new Map(release.files.map((file) => [file.path, file]));
const urlOf = (path: string): string => new URL(path, self.registration.scope).href;

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(activate()));
self.addEventListener('message', ({ data }) => {
  if (data === 'activate') void self.skipWaiting();
});
self.addEventListener('fetch', (event) => {
  const path = ownPath(event.request);
  if (path !== null) event.respondWith(answer(event.request, path));
});

/** All files but the large ones, which are kept when they are first asked for. */
async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  const earlier = await earlierReleases();
  const queue = release.files.filter(({ onDemand }) => !onDemand);
  const next = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      await cache.put(urlOf(file.path), await copyOf(file, earlier));
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, next));
  await cache.put(urlOf(LIST), new Response(JSON.stringify(release)));
}

interface Earlier {
  cache: Cache;
  files: Map<string, ReleaseFile>;
}

async function earlierReleases(): Promise<Earlier[]> {
  const names = (await caches.keys()).filter((name) => name.startsWith(OWN_CACHES));
  const found = await Promise.all(
    names.map(async (name) => {
      const cache = await caches.open(name);
      const list = await cache.match(urlOf(LIST));
      if (list === undefined) return [];
      const { files } = (await list.json()) as Release;
      return [{ cache, files: new Map(files.map((file) => [file.path, file])) }];
    }),
  );
  return found.flat();
}

/** From an earlier release where nothing has changed, else from the server, every byte checked. */
async function copyOf(file: ReleaseFile, earlier: readonly Earlier[]): Promise<Response> {
  for (const { cache, files } of earlier) {
    if (files.get(file.path)?.sha256 !== file.sha256) continue;
    const kept = await cache.match(urlOf(file.path));
    if (kept !== undefined) return kept;
  }
  const response = await fetch(urlOf(file.path), { cache: 'no-cache' });
  if (!response.ok) throw new Error(`${file.path}: the server answered ${response.status}`);
  const digest = await crypto.subtle.digest('SHA-256', await response.clone().arrayBuffer());
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0'));
  // A release that is just being replaced on the server, or a login page of the network.
  if (hex.join('') !== file.sha256) throw new Error(`${file.path} is not that of this release`);
  return response;
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names
      .filter((name) => name.startsWith(OWN_CACHES) && name !== CACHE)
      .map((name) => caches.delete(name)),
  );
  await self.clients.claim();
}

/** Path of a file of this release; null for everything else, which goes its ordinary way. */
function ownPath(request: Request): string | null {
  if (request.method !== 'GET' || !request.url.startsWith(self.registration.scope)) return null;
  const { pathname } = new URL(request.url);
  const path = pathname.slice(new URL(self.registration.scope).pathname.length);
  const file = path === '' ? 'index.html' : decodeURIComponent(path);
  return byPath.has(file) ? file : null;
}

async function answer(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(urlOf(path));
  if (kept !== undefined) return kept;
  const response = await fetch(request);
  if (response.ok) await cache.put(urlOf(path), response.clone());
  return response;
}
