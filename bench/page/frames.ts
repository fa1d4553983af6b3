/**
 * Each side runs in a frame of its own: tfjs keeps its engine, kernels and flags in globals, which two
 * copies of it would share, and one side's settings must not help or hurt another's.
 */

type Open = (...args: string[]) => Promise<unknown>;

/** Called by the module of a frame. */
export function offer(open: Open): void {
  Object.assign(window, { openSide: open });
}

/**
 * Opens a side in a new frame of this page: calls what its module offers.
 * @param module name of a file of this folder, without `.ts`
 * @throws what the module throws, or Error when it cannot be loaded
 */
export async function openInFrame<T>(module: string, ...args: string[]): Promise<T> {
  const frame = document.createElement('iframe');
  frame.src = location.href;
  const loaded = new Promise((resolve) => frame.addEventListener('load', resolve));
  document.body.append(frame);
  await loaded;
  const script = frame.contentDocument!.createElement('script');
  script.type = 'module';
  script.src = `/bench/page/${module}.ts`;
  const ran = new Promise((resolve, reject) => {
    script.addEventListener('load', resolve);
    script.addEventListener('error', () => reject(new Error(`${module} could not be loaded`)));
  });
  frame.contentDocument!.body.append(script);
  await ran;
  const { openSide } = frame.contentWindow as unknown as { openSide: Open };
  return (await openSide(...args)) as T;
}
