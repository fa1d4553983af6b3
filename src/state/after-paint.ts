/**
 * Resolves once what has changed so far has been drawn, in a task of its own, so that no task of the
 * page gets long. Hidden pages are never drawn and do not wait.
 */
export const afterPaint = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof requestAnimationFrame === 'undefined' || document.hidden) setTimeout(resolve, 0);
    else requestAnimationFrame(() => setTimeout(resolve, 0));
  });
