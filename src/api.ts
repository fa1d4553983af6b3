/** `window.rlhf`: the whole playground for scripts. Documented in docs/api.md. */
import * as v from 'valibot';
import type { BestOfNResult } from './core/best-of-n';
import { ATTRIBUTE_NAMES } from './core/attributes';
import type { DeviceReport } from './core/device-report';
import { diagnose } from './core/diagnosis';
import type { CheckedRun, Finding } from './core/diagnosis-finding';
import type {
  Completion,
  Demonstration,
  HarmFlag,
  MetricRow,
  PolicyName,
  Project,
  Ranking,
} from './core/domain';
import { PlaygroundError } from './core/errors';
import type {
  Disagreement,
  ElectorateRecord,
  HarmDialRecord,
  RightPairRecord,
} from './core/experiments';
import type { SimulatedValues } from './core/people';
import type { App } from './state/app.svelte';
import { folderOf } from './state/model-folder';
import type { ProjectState } from './state/project.svelte';
import { checkedRun } from './ui/explain/checked-run';

const MAX_SEED = 2 ** 32 - 1;
const text = v.pipe(v.string('must be text'), v.nonEmpty('must not be empty'));
const number = v.pipe(v.number('must be a number'), v.finite('must be finite'));
const whole = (min: number, max: number) =>
  v.pipe(
    number,
    v.check(
      (value) => Number.isInteger(value) && value >= min && value <= max,
      `must be a whole number from ${min} to ${max}`,
    ),
  );
const seed = whole(0, MAX_SEED);

const newProjectSchema = v.strictObject({
  name: v.optional(text, 'Untitled'),
  base: v.optional(text, 'nano'),
  seed: v.optional(seed, 1),
});
const completeSchema = v.strictObject({
  model: v.picklist(['base', 'sft', 'ppo', 'dpo'], 'must be one of base, sft, ppo, dpo'),
  prompt: text,
  n: v.optional(whole(1, 64), 1),
  maxNewTokens: v.optional(whole(1, 128), 48),
  temperature: v.optional(
    v.pipe(
      number,
      v.check((value) => value >= 0.1 && value <= 2, 'must be from 0.1 to 2'),
    ),
    1,
  ),
  seed: v.optional(seed, 1),
});
const FLAGS = ['insult', 'threat', 'sexual', 'self-harm', 'privacy', 'other'] as const;
const rankingSchema = v.strictObject({
  prompt: text,
  completions: v.pipe(
    v.array(v.string('must be text'), 'must be a list of texts'),
    v.minLength(2, 'must hold at least 2 texts'),
    v.maxLength(9, 'must hold at most 9 texts'),
  ),
  ranks: v.array(whole(1, 9), 'must be a list of whole numbers, 1 is best'),
  labeler: v.optional(text, 'script'),
  flags: v.optional(
    v.array(
      v.array(v.picklist(FLAGS, `must be one of ${FLAGS.join(', ')}`), 'must be a list'),
      'must hold one list for each completion',
    ),
    [],
  ),
});
const scoreSchema = v.strictObject({ prompt: text, completion: v.string('must be text') });
const between = (min: number, max: number) =>
  v.pipe(
    number,
    v.check((value) => value >= min && value <= max, `must be from ${min} to ${max}`),
  );
const weightsSchema = v.record(v.string(), between(0, 10), 'must be an object of weights');
const electorateSchema = v.strictObject({ ppoIterations: v.optional(whole(0, 200), 0) });
const valuesOf = (harm_aversion: number) =>
  v.optional(
    v.strictObject({
      attribute: v.optional(
        v.picklist(ATTRIBUTE_NAMES, `must be one of ${ATTRIBUTE_NAMES.join(', ')}`),
        'polite',
      ),
      noise: v.optional(between(0, 8), 0.5),
      harm_aversion: v.optional(between(-5, 5), harm_aversion),
      length_bias: v.optional(between(-5, 5), 0),
    }),
    {},
  );
const harmDialSchema = v.strictObject({
  values: valuesOf(1.5),
  comparisons: v.optional(whole(20, 2000), 240),
  ppoIterations: v.optional(whole(0, 200), 20),
  seeds: v.optional(whole(1, 3), 1),
});
const rightPairSchema = v.strictObject({
  values: valuesOf(0),
  seeds: v.optional(whole(1, 3), 1),
});
const configSchema = v.optional(v.record(v.string(), v.unknown(), 'must be an object'), {});
const modelSchema = v.picklist(
  ['base', 'sft', 'reward', 'ppo', 'dpo'],
  'must be one of base, sft, reward, ppo, dpo',
);
const deviceReportSchema = v.strictObject({
  measure: v.optional(v.boolean('must be true or false'), true),
});
const filesSchema = v.pipe(
  v.array(v.instance(File, 'must be a list of files')),
  v.nonEmpty('must not be empty'),
);
const stageSchema = v.picklist(
  ['sft', 'reward', 'ppo', 'dpo'],
  'must be one of sft, reward, ppo, dpo',
);
const checkedStageSchema = v.picklist(['sft', 'reward', 'ppo'], 'must be one of sft, reward, ppo');
type TrainingStage = v.InferOutput<typeof stageSchema>;

/**
 * The checked argument, defaults filled in.
 * @param name stands for the argument itself where the fault is in no field of it
 * @throws PlaygroundError `argument` naming the field
 */
function check<S extends v.GenericSchema>(
  name: string,
  schema: S,
  value: unknown,
): v.InferOutput<S> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const field = v.getDotPath(issue) ?? name;
  const unknown = issue.type === 'strict_object' && issue.expected === 'never';
  const missing = issue.expected !== 'never' && issue.received === 'undefined';
  const problem = unknown ? 'is not known' : missing ? 'is missing' : issue.message;
  throw new PlaygroundError({
    code: 'argument',
    field,
    message: `${field} ${problem}.`,
    remedy: 'See docs/api.md for what this function takes.',
  });
}

/** A refused setting is a bad argument here: same field, same range, the code of arguments. */
async function asArgument<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PlaygroundError) || error.code !== 'config') throw error;
    throw new PlaygroundError({ ...error.toDetails(), code: 'argument' });
  }
}

export type RlhfApi = ReturnType<typeof createApi>;

/** @param app already under way or about to be: every function waits for what it needs */
export function createApi(app: App) {
  const opened = async (): Promise<ProjectState> => {
    await app.projectsReady();
    return app.openedProject();
  };

  async function train(stage: TrainingStage, argument: unknown): Promise<MetricRow> {
    const config = check('config', configSchema, argument);
    const project = await opened();
    const runId = await asArgument(() => project.startRun(stage, config));
    const run = await project.transport.finished(runId);
    const row = run.finalRow ?? (await project.loadedRows(stage)).at(-1);
    if (row === undefined) {
      throw new PlaygroundError({
        code: 'missing',
        message: 'The run ended before its first step.',
      });
    }
    return { ...row };
  }

  return Object.freeze({
    /** Resolves when the engine can train. */
    async ready(): Promise<{ backend: string; adapter: string }> {
      await app.projectsReady();
      const { backend, adapter } = await app.engine.ready();
      return { backend, adapter };
    },
    /** The device, what was chosen for it and why; speeds too unless `measure` is false. */
    async deviceReport(options?: { measure?: boolean }): Promise<DeviceReport> {
      const checked = check('options', deviceReportSchema, options ?? {});
      await app.projectsReady();
      return app.engine.report(checked);
    },

    /** Makes a project, opens it, and resolves with its id. */
    async newProject(options?: { name?: string; base?: string; seed?: number }): Promise<string> {
      const checked = check('options', newProjectSchema, options ?? {});
      await app.basesReady();
      const known = [...app.bases.map(({ id }) => id), 'scratch'].join(', ');
      if (!(await app.isBase(checked.base))) {
        check('base', v.never(`must be one of ${known}, or the id of an imported base`), checked);
      }
      return app.createProject(checked);
    },
    async openProject(id: string): Promise<void> {
      const checked = check('id', text, id);
      await app.projectsReady();
      await app.openProject(checked);
    },
    async listProjects(): Promise<Pick<Project, 'id' | 'name' | 'base' | 'seed'>[]> {
      await app.projectsReady();
      return app.projects.map(({ id, name, base, seed }) => ({ id, name, base, seed }));
    },
    async deleteProject(id: string): Promise<void> {
      const checked = check('id', text, id);
      await app.projectsReady();
      await app.deleteProject(checked);
    },

    /** Any format that can be pasted into the page; resolves when the good rows are stored. */
    async addDemonstrations(
      demonstrations: string,
    ): Promise<{ added: number; rejected: { line: number; reason: string }[] }> {
      const checked = check('text', v.string('must be text'), demonstrations);
      const project = await opened();
      const { added, rejected } = project.addDemonstrations(checked);
      await project.flush();
      return { added, rejected };
    },
    async listDemonstrations(): Promise<Demonstration[]> {
      return structuredClone([...(await opened()).demonstrations]);
    },

    trainSft: (config?: Record<string, unknown>) => train('sft', config),
    trainReward: (config?: Record<string, unknown>) => train('reward', config),
    trainPpo: (config?: Record<string, unknown>) => train('ppo', config),
    trainDpo: (config?: Record<string, unknown>) => train('dpo', config),
    /** What keeping the best of n answers scores, and its KL; stored in the project. */
    async bestOfN(): Promise<BestOfNResult> {
      const project = await opened();
      const { points, prompts, completions } = await project.bestOfN.measure();
      await project.flush();
      return { points, prompts, completions };
    },

    /** How much each labeler's rankings count: 0 leaves them out, 1 is the default. */
    async setElectorate(weights: Record<string, number>): Promise<Record<string, number>> {
      const checked = check('weights', weightsSchema, weights);
      const project = await opened();
      project.experiments.weigh(checked);
      await project.flush();
      return { ...project.experiments.electorate };
    },
    /** One reward model for each group, judged by all; null when it was stopped. */
    async electorate(options?: { ppoIterations?: number }): Promise<ElectorateRecord | null> {
      const checked = check('options', electorateSchema, options ?? {});
      const { experiments } = await opened();
      return structuredClone(await experiments.swapElectorate(checked));
    },
    /** Reward model and policy at 0, 5, 20 and 50 % harmful comparisons; null when it was stopped. */
    async harmDial(options?: {
      values?: Partial<SimulatedValues>;
      comparisons?: number;
      ppoIterations?: number;
      seeds?: number;
    }): Promise<HarmDialRecord | null> {
      const checked = check('options', harmDialSchema, options ?? {});
      return structuredClone(await (await opened()).experiments.dialHarm(checked));
    },
    /** Puts the waiting sets in front that an ensemble of reward models disagrees about. */
    async askFirst(): Promise<Disagreement[] | null> {
      return (await opened()).experiments.askFirst();
    },
    /** Learning curves of rankings chosen by disagreement and by chance; null when it was stopped. */
    async rightPair(options?: {
      values?: Partial<SimulatedValues>;
      seeds?: number;
    }): Promise<RightPairRecord | null> {
      const checked = check('options', rightPairSchema, options ?? {});
      return structuredClone(await (await opened()).experiments.rightPair(checked));
    },
    /** Ends the experiment under way; nothing of it is kept. */
    async stopExperiment(): Promise<void> {
      await (await opened()).experiments.stop();
    },

    async pause(): Promise<void> {
      await (await opened()).pauseRun();
    },
    /** Goes on with a paused run, or with one that was cut off. */
    async resume(): Promise<void> {
      const project = await opened();
      const { canResume } = project.transport;
      await (canResume === null ? project.continueRun() : project.resumeInterrupted(canResume.id));
    },
    async step(): Promise<void> {
      await (await opened()).stepRun();
    },
    /** Ends the run early; what has been learnt so far becomes its model. */
    async stop(): Promise<void> {
      await (await opened()).stopRun();
    },

    async complete(options: {
      model: PolicyName;
      prompt: string;
      n?: number;
      maxNewTokens?: number;
      temperature?: number;
      seed?: number;
    }): Promise<Completion[]> {
      const checked = check('options', completeSchema, options);
      return (await opened()).models.complete(checked);
    },

    async addRanking(options: {
      prompt: string;
      completions: string[];
      ranks: number[];
      labeler?: string;
      flags?: HarmFlag[][];
    }): Promise<Ranking> {
      const checked = check('options', rankingSchema, options);
      const project = await opened();
      const ranking = project.addRanking(checked);
      await project.flush();
      return structuredClone(ranking);
    },
    async listRankings(): Promise<Ranking[]> {
      return structuredClone([...(await opened()).rankings]);
    },

    /** Normalised reward-model score: demonstrations score 0 on average. */
    async score(options: { prompt: string; completion: string }): Promise<number> {
      const checked = check('options', scoreSchema, options);
      const [score] = await (await opened()).models.score([checked]);
      if (score === undefined) {
        throw new PlaygroundError({ code: 'missing', message: 'There is no reward model yet.' });
      }
      return score;
    },
    /** All rows of the stage's run under way, or else of the one whose model counts. */
    async metrics(stage: TrainingStage): Promise<MetricRow[]> {
      const checked = check('stage', stageSchema, stage);
      return structuredClone([...(await (await opened()).loadedRows(checked))]);
    },

    /** What the numbers of that run say is wrong, in words; the page shows the same beside its chart. */
    async diagnose(stage: CheckedRun['stage']): Promise<Finding[]> {
      const checked = check('stage', checkedStageSchema, stage);
      const project = await opened();
      await project.loadedRows(checked);
      const run = checkedRun(project, checked);
      return run === null ? [] : structuredClone(diagnose(run));
    },

    /** The model of a stage as a zip of a Hugging Face folder, for `transformers`. */
    async exportHuggingFace(stage: PolicyName | 'reward'): Promise<Blob> {
      const checked = check('stage', modelSchema, stage);
      return (await opened()).models.exportModel(checked);
    },
    /** Puts the open project on a Llama-family model; the id is a base for `newProject` too. */
    async importHuggingFace(files: Iterable<File>): Promise<string> {
      const checked = check('files', filesSchema, [...files]);
      const { runId } = await (await opened()).models.importBase(...folderOf(checked));
      return runId;
    },

    async exportProject(): Promise<Blob> {
      await opened();
      return app.exportProject();
    },
    /** Stores a project file as another project, under new ids; `openProject` opens it. */
    async importProject(blob: Blob): Promise<string> {
      const checked = check('blob', v.instance(Blob, 'must be a Blob'), blob);
      await app.projectsReady();
      return app.importProject(checked);
    },
  });
}
