/**
 * Lists the shipped base models with sizes and checksums:
 * `npx tsx tools/base-model/write-manifest.ts public/models` writes `manifest.json` there.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelConfig } from '../../src/core/domain';
import { countParameters } from '../../src/core/presets';
import type { Edition } from './corpus';

const FILES = ['config.json', 'model.safetensors', 'tokenizer.json'] as const;

/** What each base was trained on: that many documents of generate-corpus.ts, seed 1. */
const TRAINED_ON: Readonly<Record<string, Pick<BaseModel, 'edition' | 'documents' | 'plain'>>> = {
  nano: { edition: 'nano', documents: 150_000, plain: 1 },
  tiny: { edition: 'mixed', documents: 460_000, plain: 0.35 },
  small: { edition: 'mixed', documents: 460_000, plain: 0.35 },
};

/** One shipped base, as `manifest.json` lists it. */
export interface BaseModel {
  id: string;
  label: string;
  params: number;
  /** The edition of the corpus that it was trained on. */
  edition: Edition;
  /** Unique documents of that corpus, the held-out ones included. */
  documents: number;
  /** Of the documents without any attribute that rankings ask for, the share that was kept. */
  plain: number;
  files: Record<string, { bytes: number; sha256: string }>;
  config: ModelConfig;
}

function describe(models: string, id: string): BaseModel {
  const trainedOn = TRAINED_ON[id];
  if (trainedOn === undefined)
    throw new Error(`${id}: say in TRAINED_ON which corpus it learned from`);
  const read = (name: string): Buffer => readFileSync(join(models, id, name));
  const written = JSON.parse(read('config.json').toString()) as ModelConfig;
  const config: ModelConfig = {
    vocab_size: written.vocab_size,
    hidden_size: written.hidden_size,
    intermediate_size: written.intermediate_size,
    num_hidden_layers: written.num_hidden_layers,
    num_attention_heads: written.num_attention_heads,
    num_key_value_heads: written.num_key_value_heads,
    max_position_embeddings: written.max_position_embeddings,
    rms_norm_eps: written.rms_norm_eps,
    rope_theta: written.rope_theta,
    tie_word_embeddings: written.tie_word_embeddings,
  };
  const params = countParameters(config);
  const files: BaseModel['files'] = {};
  for (const name of FILES) {
    const content = read(name);
    files[name] = {
      bytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
    };
  }
  const label = `${id} (${(params / 1e6).toFixed(2)} M parameters)`;
  return { id, label, params, ...trainedOn, files, config };
}

const [models] = process.argv.slice(2);
if (models === undefined) throw new Error('Usage: write-manifest.ts public/models');
const bases = readdirSync(models)
  .filter((id) => existsSync(join(models, id, 'model.safetensors')))
  .map((id) => describe(models, id))
  .sort((a, b) => a.params - b.params);
writeFileSync(join(models, 'manifest.json'), `${JSON.stringify(bases, null, 2)}\n`);
console.log(bases.map(({ label }) => label).join('\n'));
