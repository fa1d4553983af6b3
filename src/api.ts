/** `window.rlhf`: the whole playground for scripts. Documented in docs/api.md. */
import * as v from 'valibot';
import type { BestOfNResult } from './core/best-of-n';
import type { DeviceReport } from './core/device-report';
import { diagnose } from './core/diagnosis';
import type { Finding } from './core/diagnosis-finding';
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
import type { App } from './state/app.svelte';
import { folderOf } from './state/model-folder';
import type { ProjectState } from './state/project.svelte';
import { checkedRun } from './ui/explain/checked-run';

import {
  text,
  newProjectSchema,
  completeSchema,
  rankingSchema,
  scoreSchema,
  configSchema,
  modelSchema,
  deviceReportSchema,
  filesSchema,
  stageSchema,
  check,
  asArgument,
  type TrainingStage,
} from './api-arguments';
import { peopleFunctions } from './api-people';

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
    ...peopleFunctions(app, opened),
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
    /** Writes to the open project from now on; the tab that did so until now only reads. */
    async takeOver(): Promise<void> {
      await opened();
      await app.open.takeOver();
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
    async diagnose(stage: TrainingStage): Promise<Finding[]> {
      const checked = check('stage', stageSchema, stage);
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
    /** Stores a project file as another project; `openProject` opens it. */
    async importProject(blob: Blob): Promise<string> {
      const checked = check('blob', v.instance(Blob, 'must be a Blob'), blob);
      await app.projectsReady();
      return app.importProject(checked);
    },
  });
}
