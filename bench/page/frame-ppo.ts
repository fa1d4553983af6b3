import { openEngine } from '../../src/engine/backend';
import { ppoRows } from '../contenders/ppo';
import type { Row, SizeName } from '../work';
import { offer } from './frames';

export interface PpoSide {
  rows(size: SizeName, rounds: number): Promise<Row[]>;
}

const json = async (path: string): Promise<unknown> => (await fetch(path)).json();

offer(async (): Promise<PpoSide> => {
  await openEngine({ force: 'webgpu' });
  const tokenizer = await json('/models/nano/tokenizer.json');
  const { prompts } = (await json('/demo/polite.json')) as { prompts: string[] };
  return { rows: (size, rounds) => ppoRows({ size, rounds, tokenizer, prompts }) };
});
