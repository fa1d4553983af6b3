/** How numbers, times and counts are written for people. */

/** A number with at most `digits` decimals; very large or small ones in scientific form. */
export function formatNumber(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined) return '–';
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'not a number' : '∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 10 ** -digits / 2 || size >= 1e9) return value.toExponential(1);
  return value.toLocaleString('en', {
    maximumFractionDigits: digits,
    minimumFractionDigits: Number.isInteger(value) ? 0 : Math.min(digits, size >= 100 ? 1 : 2),
  });
}

/** A setting as it stands in its field: 0.001 → 0.001, 0.00002 → 2e-5. */
export function formatSetting(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && size < 1e-3) return value.toExponential();
  return String(Number(value.toPrecision(6)));
}

/** 0.784 → 78 %. */
export function formatShare(value: number | null | undefined): string {
  return value === null || value === undefined || !Number.isFinite(value)
    ? '–'
    : `${Math.round(value * 100)} %`;
}

/** Thousands as k, millions as M: 41 200 → 41k. */
export function formatCount(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)} M`;
  if (value >= 1e4) return `${Math.round(value / 1e3)}k`;
  return Math.round(value).toLocaleString('en');
}

/** Milliseconds as people say them: 72 000 → 1 min 12 s. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `1 demonstration`, `2 demonstrations`. */
export function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

/** Bytes as people read them: 64 000 000 → 64 MB. */
export function formatBytes(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toPrecision(3)} GB`;
  if (bytes >= 1e6) return `${(bytes / 1e6).toPrecision(3)} MB`;
  return bytes === 0 ? '0' : `${Math.max(1, Math.round(bytes / 1e3))} kB`;
}
