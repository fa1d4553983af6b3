/** How components reach the one App: Svelte's context, so that tests can have several. */
import { getContext, setContext } from 'svelte';
import type { App } from './app.svelte';

const KEY = Symbol('app');

/** Called once, in the root component. */
export function setApp(app: App): App {
  return setContext(KEY, app);
}

export function getApp(): App {
  return getContext<App>(KEY);
}
