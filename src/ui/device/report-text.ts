/** The Device report as plain text, for bug reports. Says nothing of the person's data. */
import type { DeviceReport, DeviceSpeed } from '../../core/device-report';
import { formatNumber } from '../parts/format';
import { BACKEND_NAMES, errorSize, limitValue, milliseconds, VERDICTS } from './device-words';

const yesNo = (value: boolean): string => (value ? 'yes' : 'no');

export function reportText(report: DeviceReport): string {
  const { backend, adapter, isSoftware, browser, verdict, speed } = report;
  const lines = [
    'RLHF Playground, device report',
    `backend: ${BACKEND_NAMES[backend]}, adapter: ${adapter}${isSoftware ? ' (software)' : ''}`,
    `browser: ${browser}`,
  ];
  if (report.fallbackReason !== null) lines.push(`fallback: ${report.fallbackReason}`);
  if (report.refused !== null) lines.push(`limits refused: ${report.refused}`);
  if (verdict !== null) {
    const when = new Date(verdict.checkedAt).toISOString().slice(0, 16).replace('T', ' ');
    const how = report.remembered ? 'remembered' : `${Math.round(verdict.ms)} ms`;
    lines.push('', `check of ${when} UTC (${how}), ${verdict.key}`);
    for (const { backend: name, ms, reason } of verdict.fallback) {
      lines.push(`  ${BACKEND_NAMES[name]}: step ${milliseconds(ms)}, ${reason ?? 'chosen'}`);
    }
    for (const { family, chosen, timedAt, candidates } of verdict.families) {
      lines.push(`  ${family}: ${chosen}, timed at ${timedAt}`);
      for (const { variant, maxError, ms, verdict: outcome, reason } of candidates) {
        const because = reason === null ? '' : `: ${reason}`;
        lines.push(
          `    ${variant}: ${milliseconds(ms)}, error ${errorSize(maxError)}, ${VERDICTS[outcome]}${because}`,
        );
      }
    }
  }
  if (speed !== null) lines.push('', ...speedLines(speed));
  lines.push('');
  for (const [name, value] of Object.entries(report.limits)) {
    lines.push(`${name}: ${limitValue(name, value)}`);
  }
  for (const { name, offered, enabled } of report.features) {
    lines.push(`${name}: ${enabled ? 'on' : offered ? 'offered, not on' : 'not offered'}`);
  }
  return `${lines.join('\n').trim()}\n`;
}

function speedLines(speed: DeviceSpeed): string[] {
  const { numerics, submission, matmulShape, trainingShape } = speed;
  return [
    `readback: ${milliseconds(speed.readbackMs)}`,
    `matmul: ${formatNumber(speed.matmulGflops, 1)} GFLOP/s at ${matmulShape.join(' × ')}`,
    `training step, tiny, ${trainingShape.join(' × ')}: ${milliseconds(speed.stepMs)}, ` +
      `${formatNumber(speed.tokensPerSecond, 0)} tokens/s`,
    ...(submission === null
      ? []
      : [
          `submissions: ${submission.kernels} kernels, longest ${milliseconds(submission.longestMs)}`,
        ]),
    `exp: error ${errorSize(numerics.expError)}, 1/sqrt: error ${errorSize(numerics.inverseSqrtError)}, ` +
      `keeps subnormals: ${yesNo(numerics.keepsSubnormals)}, keeps NaN: ${yesNo(numerics.keepsNaN)}, ` +
      `repeats bit for bit: ${yesNo(numerics.repeatable)}`,
  ];
}
