/** The benchmark's page: opens the sides, then measures one part at a time. */
import type { PresetName } from '../../src/core/presets';
import { reason } from '../measure';
import { joined, type Part } from '../parts/compare';
import { decodingRows } from '../parts/decoding';
import { rooflineRows } from '../parts/roofline';
import { scalingRows, stepRows, STEP } from '../parts/steps';
import type { Contender } from '../work';
import { openInFrame } from './frames';
import type { PpoSide } from './frame-ppo';

export type SideName = 'ours' | 'stock' | 'jax' | 'nanogpt';

const sides = new Map<string, Contender>();

/** Opens sides on WebGPU; resolves to the adapter and to what could not be opened. */
export async function openSides(
  names: SideName[],
): Promise<{ adapter: string; problems: string[] }> {
  // Ours first: without it there is nothing to compare with, so that its failure is the run's.
  const ours = await openInFrame<Contender>('frame-ours', 'webgpu');
  sides.set('ours', ours);
  const problems: string[] = [];
  for (const name of names) {
    if (name === 'ours') continue;
    try {
      sides.set(name, await openInFrame<Contender>(`frame-${name}`, 'webgpu'));
    } catch (thrown) {
      problems.push(`${name}: ${reason(thrown)}`);
    }
  }
  return { adapter: ours.adapter, problems };
}

const open = (): Contender[] => [...sides.values()];

export const step = (rounds: number): Promise<Part> => stepRows(open(), rounds);
export const decode = (rounds: number): Promise<Part> => decodingRows(open(), rounds);
export const roofline = (rounds: number): Promise<Part> => rooflineRows(open(), rounds);
export const scaling = (rounds: number, presets: PresetName[]): Promise<Part> =>
  scalingRows(sides.get('ours')!, presets, rounds);

/** PPO iterations of the smallest model and of the comparison's, by phase. */
export async function ppo(rounds: number): Promise<Part> {
  const side = await openInFrame<PpoSide>('frame-ppo');
  const rows = [await side.rows('nano', rounds), await side.rows('main', rounds)];
  return { rows: rows.flat(), problems: [] };
}

/** Where there is no WebGPU: ours and stock ops on wasm, and on webgl where it opens. */
export async function fallback(rounds: number): Promise<Part> {
  const parts: Part[] = [];
  for (const backend of ['wasm', 'webgl']) {
    const opened: Contender[] = [];
    const problems: string[] = [];
    for (const module of ['frame-ours', 'frame-stock']) {
      try {
        opened.push(await openInFrame<Contender>(module, backend));
      } catch (thrown) {
        problems.push(`fallback, ${backend}, ${module}: ${reason(thrown)}`);
      }
    }
    const part = await stepRows(opened, rounds, STEP, `fallback, ${backend}`);
    parts.push({ ...part, problems: [...problems, ...part.problems] });
  }
  return joined(parts);
}
