import { MediaQuery } from 'svelte/reactivity';
import type { Preferences } from '../../state/preferences.svelte';

const dark = new MediaQuery('(prefers-color-scheme: dark)');

/** Puts the chosen look on the document; 'auto' follows the system, also when it changes. */
export function applyTheme(preferences: Pick<Preferences, 'theme' | 'projector'>): void {
  const { theme, projector } = preferences;
  const root = document.documentElement;
  root.dataset.theme = theme === 'auto' ? (dark.current ? 'dark' : 'light') : theme;
  root.dataset.projector = String(projector);
}
