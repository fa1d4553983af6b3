/** Projects of every shape, for round trips. */
import fc from 'fast-check';
import type { HostTensor, MetricRow, Run, WeightMap } from '../../../src/core/domain';
import type { ProjectBundle } from '../../../src/formats/project-file';
import { bundle } from './project-bundle';

const text = fc.string({ unit: 'binary', maxLength: 40 });
const count = fc.nat(10_000);
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0);
/** What was measured may be any number. */
const measured = fc.oneof(finite, fc.constantFrom(NaN, Infinity, -Infinity, -0));
const flags = fc.subarray(['insult', 'threat', 'sexual', 'self-harm', 'privacy', 'other'] as const);
const few = <T>(one: fc.Arbitrary<T>) => fc.array(one, { maxLength: 3 });

const tensor: fc.Arbitrary<HostTensor> = fc
  .array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 8 })
  .map((data) => ({ shape: [data.length], data: Float32Array.from(data) }));

const ranking = fc.array(text, { minLength: 1, maxLength: 4 }).chain((completions) =>
  fc.record(
    {
      setId: fc.constant(null),
      prompt: text,
      completions: fc.constant(completions),
      ranks: fc.array(fc.integer({ min: 1, max: 4 }), {
        minLength: completions.length,
        maxLength: completions.length,
      }),
      outcome: fc.constant('ranked' as const),
      labeler: text,
      simulated: fc.boolean(),
      flags: few(flags),
      order: few(count),
      comment: text,
      unsure: fc.boolean(),
      ms: finite,
      mode: fc.constantFrom('list' as const, 'pair' as const),
    },
    {
      requiredKeys: [
        'setId',
        'prompt',
        'completions',
        'ranks',
        'outcome',
        'labeler',
        'simulated',
        'flags',
        'order',
      ],
    },
  ),
);

const row: fc.Arbitrary<MetricRow> = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 12 }).filter((key) => key !== '__proto__' && key !== 'step'),
  measured,
  { maxKeys: 5 },
);

const settings = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 12 }).filter((key) => key !== '__proto__'),
  fc.oneof(finite, text, fc.boolean()),
  { maxKeys: 4 },
);

interface Parts {
  name: string;
  createdAt: number;
  settings: Record<string, number | string | boolean>;
  demonstrations: { prompt: string; completion: string; heldOut: boolean }[];
  prompts: string[];
  rankings: Omit<ProjectBundle['rankings'][0], 'id' | 'projectId' | 'seq'>[];
  runs: { status: Run['status']; rows: MetricRow[]; tensors: HostTensor[]; cut: boolean }[];
  /** Fields of records the other way round: an order that no reader may depend on. */
  reversed: boolean;
}

const parts: fc.Arbitrary<Parts> = fc.record({
  name: text,
  createdAt: finite,
  settings,
  demonstrations: few(fc.record({ prompt: text, completion: text, heldOut: fc.boolean() })),
  prompts: few(text),
  rankings: few(ranking),
  runs: few(
    fc.record({
      status: fc.constantFrom('done', 'stopped', 'failed', 'interrupted'),
      rows: few(row),
      tensors: few(tensor),
      cut: fc.boolean(),
    }),
  ),
  reversed: fc.boolean(),
});

const turned = <T extends object>(record: T): T =>
  Object.fromEntries(Object.entries(record).reverse()) as T;

/** Every record under an id of its own. */
export const generatedProject: fc.Arbitrary<ProjectBundle> = fc
  .tuple(parts, fc.uuid())
  .map(([given, projectId]) => {
    const { reversed } = given;
    const base = bundle();
    const placed = <T extends object>(kind: string, records: readonly T[]) =>
      records.map((record, seq) => {
        const full = { ...record, id: `${kind}-${projectId}-${seq}`, projectId, seq: seq + 1 };
        return reversed ? turned(full) : full;
      });
    const runs = given.runs.map(({ status, rows, tensors, cut }, i): Run => {
      const finalRow = rows.at(-1) ?? null;
      return {
        ...base.runs[0]!,
        id: `run-${projectId}-${i}`,
        projectId,
        status,
        finalRow,
        parentId: null,
        checkpointId: tensors.length > 0 ? `c-${projectId}-${i}` : null,
        seq: i + 1,
        ...(cut && { cuts: [{ at: i + 3, from: i, why: 'closed' as const }] }),
      };
    });
    const project = {
      ...base.project,
      id: projectId,
      name: given.name,
      createdAt: given.createdAt,
      settings: { sft: given.settings },
      runs: { base: null, sft: null, reward: null, ppo: null, dpo: null },
      seq: 1,
    };
    return {
      project: reversed ? turned(project) : project,
      demonstrations: placed('d', given.demonstrations),
      prompts: placed(
        'q',
        given.prompts.map((prompt) => ({ text: prompt })),
      ),
      sets: [],
      rankings: placed('r', given.rankings),
      runs: reversed ? runs.map(turned) : runs,
      inputs: runs.map(({ id }) => ({ ...base.inputs[0]!, runId: id, projectId })).map(withOwner),
      metrics: given.runs.map(({ rows }, i) => ({
        runId: runs[i]!.id,
        rows: rows.map((values, step) => ({ step: step + 1, ...values })),
      })),
      samples: runs.map(({ id }) => ({ runId: id, steps: base.samples[0]!.steps })),
      checkpoints: given.runs.flatMap(({ tensors }, i) =>
        tensors.length === 0 ? [] : [checkpoint(runs[i]!, tensors)],
      ),
    };
  });

const withOwner = (input: ProjectBundle['inputs'][0]): ProjectBundle['inputs'][0] =>
  input.data.stage === 'sft' ? { ...input, data: { ...input.data, demonstrations: [] } } : input;

function checkpoint(run: Run, tensors: readonly HostTensor[]): ProjectBundle['checkpoints'][0] {
  const weights: WeightMap = new Map(tensors.map((one, i) => [`policy/w${i}`, one]));
  const { manifest } = bundle().checkpoints[0]!;
  return {
    manifest: {
      ...manifest,
      id: run.checkpointId!,
      projectId: run.projectId,
      runId: run.id,
      tensors: [...weights].map(([name, { shape }]) => ({ name, shape, chunks: [] })),
      bytes: tensors.reduce((sum, { data }) => sum + data.byteLength, 0),
      seq: 1,
    },
    load: () => Promise.resolve(weights),
  };
}
