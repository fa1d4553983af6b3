/** Whether the page is kept for use without a network, and whether a newer release waits. */

export type OfflineStatus = 'unknown' | 'fetching' | 'kept' | 'update' | 'failed';

export class Offline {
  /** `unknown`: this browser, or this edition, has no offline worker. */
  status: OfflineStatus = $state.raw('unknown');
  #waiting: ServiceWorker | null = null;

  /** @param address of the offline worker, in the page's folder */
  async start(address: string): Promise<void> {
    if (!('serviceWorker' in navigator)) return;
    this.status = navigator.serviceWorker.controller === null ? 'fetching' : 'kept';
    try {
      const registration = await navigator.serviceWorker.register(address);
      registration.addEventListener('updatefound', () => this.#follow(registration.installing));
      this.#follow(registration.installing);
      if (registration.waiting !== null) this.#offer(registration.waiting);
    } catch {
      if (this.status === 'fetching') this.status = 'failed';
    }
  }

  #follow(worker: ServiceWorker | null): void {
    worker?.addEventListener('statechange', () => {
      if (worker.state === 'installed' && navigator.serviceWorker.controller !== null) {
        this.#offer(worker);
      }
      if (worker.state === 'activated') this.status = 'kept';
      // It could not fetch everything; what was kept before still is.
      if (worker.state === 'redundant' && this.status === 'fetching') this.status = 'failed';
    });
  }

  #offer(worker: ServiceWorker): void {
    this.#waiting = worker;
    this.status = 'update';
  }

  /** Turns to the release that waits and loads the page anew. */
  update(): void {
    if (this.#waiting === null) return;
    navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), {
      once: true,
    });
    this.#waiting.postMessage('activate');
  }
}
