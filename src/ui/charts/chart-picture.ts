import type uPlot from 'uplot';
import type { ChartPanel } from './chart-types';
import { resolveColor } from './panel-plot';

const MARGIN = 16;
const TITLE = 26;

/** All panels on one picture, with titles and legends, on the card's colour. */
export async function chartPicture(
  plots: readonly uPlot[],
  panels: readonly ChartPanel[],
): Promise<Blob> {
  const first = plots[0];
  if (!first) throw new Error('The chart has no panels yet.');
  const scale = devicePixelRatio;
  const canvas = document.createElement('canvas');
  canvas.width = first.ctx.canvas.width + 2 * MARGIN * scale;
  canvas.height = plots.reduce(
    (height, plot) => height + plot.ctx.canvas.height + TITLE * scale,
    2 * MARGIN * scale,
  );
  const ctx = canvas.getContext('2d');
  if (!ctx) throw new Error('This browser gives no canvas to draw the picture on.');
  ctx.fillStyle = resolveColor(first.root, 'var(--card)');
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  let top = MARGIN * scale;
  plots.forEach((plot, i) => {
    const panel = panels[i];
    let left = MARGIN * scale;
    const write = (text: string, color: string, weight: number): void => {
      ctx.font = `${weight} ${13 * scale}px "Inter Variable", sans-serif`;
      ctx.fillStyle = resolveColor(plot.root, color);
      ctx.fillText(text, left, top + 14 * scale);
      left += ctx.measureText(text).width + 14 * scale;
    };
    write(panel?.title ?? '', 'var(--ink)', 600);
    for (const { label, color, dash } of panel?.series ?? []) {
      write(`${dash ? '- -' : '—'} ${label}`, color, 400);
    }
    top += TITLE * scale;
    ctx.drawImage(plot.ctx.canvas, MARGIN * scale, top);
    top += plot.ctx.canvas.height;
  });
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob) resolve(blob);
      else reject(new Error('The picture could not be encoded.'));
    }, 'image/png');
  });
}
