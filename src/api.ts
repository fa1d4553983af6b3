/** `window.rlhf`: the whole playground for scripts. Documented in docs/api.md. */
import * as v from 'valibot';
import type { BestOfNResult } from './core/best-of-n';
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
import type { AgreementReport } from './core/agreement-report';
import { PlaygroundError } from './core/errors';
import type { ConflictChoice } from './core/merge-rankings';
import { preferenceCard, type PreferenceCard } from './core/preference-card';
import { preferenceMarkdown } from './core/preference-markdown';
import { inSlices } from './core/slices';
import type { App } from './state/app.svelte';
import { rankingsFile, readClass, setsFile, trainerFile } from './state/class-files';
import type { MergeOutcome } from './state/class-merge.svelte';
import { folderOf } from './state/model-folder';
import { agreementOf, cardInput } from './state/people-report.svelte';
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
const formatSchema = v.optional(
  v.picklist(['class', 'trl', 'kwise'], 'must be one of class, trl, kwise'),
  'class',
);
const names = v.array(
  v.pipe(text, v.maxLength(80, 'has at most 80 characters')),
  'must be a list of names',
);
const classFileSchema = v.strictObject({
  task: v.optional(v.string('must be text'), ''),
  groups: v.exactOptional(names),
});
const memberSchema = v.strictObject({
  labeler: v.pipe(text, v.maxLength(80, 'has at most 80 characters')),
  groups: v.optional(names, []),
  consent: v.optional(v.boolean('must be true or false'), false),
});
const importSchema = v.strictObject({
  conflicts: v.optional(
    v.picklist(['ours', 'theirs', 'both'], 'must be one of ours, theirs, both'),
    'ours',
  ),
});
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
      const { backend, adapter } = await app.engineReady();
      return { backend, adapter };
    },
    /** The device, what was chosen for it and why; speeds too unless `measure` is false. */
    async deviceReport(options?: { measure?: boolean }): Promise<DeviceReport> {
      const checked = check('options', deviceReportSchema, options ?? {});
      await app.projectsReady();
      return app.deviceReport(checked);
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
    /** The project's rankings: a class file, or a zip for preference trainers. */
    async exportRankings(format?: 'class' | 'trl' | 'kwise'): Promise<Blob> {
      const checked = check('format', formatSchema, format);
      const project = await opened();
      return checked === 'class' ? rankingsFile(project) : trainerFile(project, checked);
    },
    /** What a class needs to rank: sets, guideline, names of groups; no model. */
    async exportClassFile(options?: { task?: string; groups?: string[] }): Promise<Blob> {
      const checked = check('options', classFileSchema, options ?? {});
      return setsFile(await opened(), checked);
    },
    /** Makes a project of the sets in a class file, opens it, and resolves with its id. */
    async openClassFile(
      file: File,
      member: { labeler: string; groups?: string[]; consent?: boolean },
    ): Promise<string> {
      const checked = check('file', v.instance(File, 'must be a File'), file);
      const { labeler, groups, consent } = check('member', memberSchema, member);
      await app.projectsReady();
      return app.openClassFile(await readClass(checked), {
        code: labeler.trim(),
        groups,
        consentedAt: consent ? Date.now() : null,
      });
    },
    /** Merges class files into the open project: all that is good, at once; resolves when it is stored. */
    async importRankings(
      files: Iterable<File>,
      options?: { conflicts?: ConflictChoice },
    ): Promise<MergeOutcome> {
      const checked = check('files', filesSchema, [...files]);
      const { conflicts } = check('options', importSchema, options ?? {});
      const project = await opened();
      const { classMerge } = project;
      await classMerge.read(checked);
      classMerge.chooseAllConflicts(conflicts);
      const { refused } = classMerge;
      const outcome = await classMerge.accept();
      await project.flush();
      return structuredClone(
        outcome ?? { added: 0, replaced: 0, duplicates: 0, conflicts: 0, quarantined: [], refused },
      );
    },
    /** How far people agree, and simulated labelers by themselves; with 95 % ranges. */
    async agreement(): Promise<{ people: AgreementReport; simulated: AgreementReport }> {
      const project = await opened();
      return {
        people: await inSlices(agreementOf(project, { simulated: false })),
        simulated: await inSlices(agreementOf(project, { simulated: true })),
      };
    },
    /** Whose preferences these are, as a record and as the text that goes into every export. */
    async preferenceCard(): Promise<{ card: PreferenceCard; markdown: string }> {
      const card = await inSlices(preferenceCard(cardInput(await opened())));
      return { card: structuredClone(card), markdown: preferenceMarkdown(card) };
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
