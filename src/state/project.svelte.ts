/** One open project: its records, its settings, its runs, and everything that can be done with it. */
import type { AttributeName } from '../core/attributes';
import { stageConfig } from '../core/config';
import type {
  CandidateSet,
  Demonstration,
  MetricRow,
  Project,
  Prompt,
  Ranking,
  Run,
  Stage,
} from '../core/domain';
import { PlaygroundError } from '../core/errors';
import type { Labeler } from '../core/people';
import { modelName } from '../core/stage-models';
import { ProjectRecord } from './project-record.svelte';
import { baseChoice, type BaseChoice } from './base-choice';
import { BestOfN } from './best-of-n.svelte';
import { Candidates, type CandidateOptions, type RankingOfTexts } from './candidates.svelte';
import { ClassMerge } from './class-merge.svelte';
import { Comparisons } from './comparisons.svelte';
import type { DemoTask } from './demo-task';
import { Experiments } from './experiments.svelte';
import { Demonstrations, type AddReport } from './demonstrations.svelte';
import type { ProjectRecords, RunSamples } from './ports';
import { Models } from './models';
import type { ProjectContext } from './project-context';
import { People } from './people.svelte';
import { RankingDesk } from './ranking-desk.svelte';
import { RunState } from './run.svelte';
import { settingProblem, type Setting, type SettingsStage } from './settings';
import { missingFor, staleBestOfN, staleReason, type Missing } from './staleness';

export class ProjectState extends ProjectRecord {
  readonly models: Models;
  readonly comparisons: Comparisons;
  readonly bestOfN: BestOfN;
  readonly people: People;
  readonly desk: RankingDesk;
  readonly experiments: Experiments;
  readonly classMerge: ClassMerge;
  /** Changes of the demonstrations, with undo and redo. */
  readonly demonstrationEdits: Demonstrations;
  readonly transport: RunState;
  readonly #candidates: Candidates;

  constructor(context: ProjectContext, record: Project, records: ProjectRecords) {
    super(context, record);
    this.demonstrationEdits = new Demonstrations(record.id, record.seed, this.queue);
    this.demonstrationEdits.list = records.demonstrations;
    this.#candidates = new Candidates({
      projectId: record.id,
      link: context.link,
      queue: this.queue,
      preferences: context.preferences,
      guideline: () => this.people.guideline.version,
      askFirst: () => this.record.askFirst ?? [],
    });
    this.#candidates.prompts = records.prompts;
    this.#candidates.sets = records.sets;
    this.#candidates.rankings = records.rankings;
    this.models = new Models(
      record.id,
      context.link,
      () => this.#readyForWorker(),
      () => this.requireClaim(),
    );
    this.comparisons = new Comparisons((request) => this.models.compare(request));
    this.bestOfN = new BestOfN(
      () => this.models.bestOfN(),
      (bestOfN) => this.changeRecord({ bestOfN }),
    );
    this.people = new People({
      record: () => this.record,
      change: (change) => this.changeRecord(change),
      rankings: () => this.rankings,
      preferences: context.preferences,
    });
    this.desk = new RankingDesk({
      candidates: this.#candidates,
      people: this.people,
      settings: () => this.settings('rankings'),
      seed: record.seed,
    });
    this.experiments = new Experiments({
      link: context.link,
      ready: () => this.#readyForWorker(),
      requireIdle: () => {
        this.requireWriter();
        this.requireIdle();
      },
      change: (change) => this.changeRecord(change),
      inputs: () => this.#inputs,
      settings: () => ({ reward: this.settings('reward'), ppo: this.settings('ppo') }),
      pendingSets: () => this.pendingSets,
    });
    this.classMerge = new ClassMerge({
      record: () => this.record,
      change: (change) => this.changeRecord(change),
      candidates: this.#candidates,
      people: this.people,
      queue: this.queue,
    });
    this.transport = new RunState(
      {
        store: context.store,
        link: context.link,
        projectId: record.id,
        onModel: (run) => this.useModel(run),
        onProblem: ({ message, remedy }) => context.notify('error', message, remedy),
      },
      records.runs,
      { following: !this.writable },
    );
  }

  /** Another tab writes from now on. Returns how many changes had not been stored; they are dropped. */
  revoke(): number {
    this.writable = false;
    this.transport.interrupt();
    return this.queue.close();
  }

  /** Stores what is left and has the run under way end at its next step, to be resumed elsewhere. */
  async handOver(): Promise<void> {
    this.writable = false;
    await Promise.all([
      this.flush(),
      this.transport.active === null
        ? null
        : this.context.link.call('release', { projectId: this.record.id }),
      this.experiments.stop(),
    ]);
  }

  /** Shows what another tab has stored. */
  follow(record: Project, records: ProjectRecords): void {
    this.record = record;
    this.demonstrationEdits.list = records.demonstrations;
    this.#candidates.prompts = records.prompts;
    this.#candidates.sets = records.sets;
    this.#candidates.rankings = records.rankings;
    this.transport.followRuns(records.runs);
    this.context.onRecord(record);
  }

  // Records

  get demonstrations(): readonly Demonstration[] {
    return this.demonstrationEdits.list;
  }
  get prompts(): readonly Prompt[] {
    return this.#candidates.prompts;
  }
  get sets(): readonly CandidateSet[] {
    return this.#candidates.sets;
  }
  get rankings(): readonly Ranking[] {
    return this.#candidates.rankings;
  }
  get runs(): readonly Run[] {
    return this.transport.runs;
  }
  /**
   * Puts the project on another base. Demonstrations, prompts and rankings stay; models that grew
   * from the old base stay too, and are out of date.
   * @param base a shipped base, 'scratch', or the id of a pretraining run of this project
   * @throws PlaygroundError `busy` while a run is under way, `argument`, `storage`; the base is then
   *   what it was
   */
  async setBase(base: string): Promise<void> {
    this.requireWriter();
    this.requireIdle();
    const before = this.record;
    const chosen = baseChoice(base, before, this.runs, this.context.bases());
    const show = ({ base, runId }: BaseChoice): void => {
      this.record = { ...this.record, base, runs: { ...this.record.runs, base: runId } };
      this.context.onRecord(this.record);
    };
    // Shown before it is stored: what is changed meanwhile is stored with the new base.
    show(chosen);
    try {
      await this.flush();
      await this.context.store.setBase(before.id, chosen);
      this.context.onStored(Infinity);
    } catch (error) {
      show({ base: before.base, runId: before.runs.base });
      throw error;
    }
    // The worker reads the project anew for every request; this frees the models it has loaded.
    await this.context.link.call('forget', { projectId: before.id }).catch(() => null);
  }

  // Settings

  /** Stores a setting. Returns why it is refused instead, as the rest of a sentence about it. */
  setSetting(stage: SettingsStage, name: string, value: Setting): string | null {
    const problem = settingProblem(this.settings(stage), stage, name, value);
    if (problem !== null) return problem;
    const { settings } = this.record;
    this.changeRecord({
      settings: { ...settings, [stage]: { ...settings[stage], [name]: value } },
    });
    if (stage === 'sft' && name === 'held_out_ratio')
      this.demonstrationEdits.splitAgain(Number(value));
    return null;
  }

  // Demonstrations

  addDemonstrations(text: string): AddReport {
    return this.demonstrationEdits.addText(text, this.settings('sft').held_out_ratio);
  }
  addDemonstrationFile(file: File): Promise<AddReport> {
    return this.demonstrationEdits.addFile(file, this.settings('sft').held_out_ratio);
  }
  updateDemonstration(
    id: string,
    change: Partial<Pick<Demonstration, 'prompt' | 'completion' | 'heldOut'>>,
  ): void {
    this.demonstrationEdits.update(id, change);
  }
  deleteDemonstration(id: string): void {
    this.demonstrationEdits.delete(id);
  }
  loadTask(task: DemoTask, parts: { demonstrations?: boolean; prompts?: boolean }): void {
    if (parts.demonstrations === true) {
      this.demonstrationEdits.addRows(task.demonstrations, this.settings('sft').held_out_ratio);
    }
    if (parts.prompts === true) this.addPrompts(task.prompts.join('\n'));
  }

  // Prompts, completions, rankings

  addPrompts(text: string): number {
    return this.#candidates.addPrompts(text);
  }
  deletePrompt(id: string): void {
    this.#candidates.deletePrompt(id);
  }
  get generating(): { done: number; total: number } | null {
    return this.#candidates.generating;
  }
  get pendingSets(): readonly CandidateSet[] {
    return this.#candidates.pendingSets;
  }

  /** Writes K completions for the prompts that need some; returns how many sets were written. */
  async generateCandidates(options: CandidateOptions = {}): Promise<number> {
    this.requireWriter();
    this.requireIdle();
    if (this.record.runs.sft === null) {
      throw new PlaygroundError({
        code: 'missing',
        message: 'There is no SFT model yet to write completions.',
        remedy: 'Train SFT first.',
      });
    }
    await this.#readyForWorker();
    const { num_completions, temperature, max_new_tokens } = this.settings('rankings');
    const settings = { k: num_completions, temperature, maxNewTokens: max_new_tokens };
    return this.#candidates.generate(options, settings, this.record.seed);
  }
  addRanking(draft: RankingOfTexts): Ranking {
    return this.#candidates.addOfNoSet(draft);
  }
  deleteRanking(id: string): void {
    this.#candidates.remove(id);
  }
  simulateRankings(options: { attribute: AttributeName; noise?: number }): number {
    return this.#candidates.simulate(options, this.record.seed);
  }
  /** A simulated labeler ranks up to `limit` sets that it has not ranked; returns how many. */
  simulateBy(labeler: Labeler, limit: number): number {
    return this.#candidates.simulateBy(labeler, limit, this.record.seed);
  }
  openFor(labeler: string): number {
    return this.#candidates.openFor(labeler);
  }

  // Runs

  protected get baseRun(): Run | null {
    return this.transport.byId(this.record.runs.base);
  }
  get #inputs() {
    const { record: project, demonstrations, prompts, rankings, runs } = this;
    return { project, demonstrations, prompts, rankings, runs };
  }

  /** The run under way in this stage, else the one whose model counts. */
  currentRun(stage: Stage): Run | null {
    const { active, canResume } = this.transport;
    if (active?.stage === stage) return active;
    // One that was cut off is still the run in hand: its curve is what a person expects to see.
    if (canResume?.stage === stage) return canResume;
    return this.transport.byId(this.record.runs[modelName(stage)]);
  }
  rows(stage: Stage): readonly MetricRow[] {
    const run = this.currentRun(stage);
    return run === null ? [] : this.transport.log(run.id).rows;
  }
  /** The same once they have been read from the database. */
  async loadedRows(stage: Stage): Promise<readonly MetricRow[]> {
    const run = this.currentRun(stage);
    if (run === null) return [];
    await this.transport.log(run.id).load();
    return this.rows(stage);
  }
  samples(stage: Stage): readonly RunSamples[] {
    const run = this.currentRun(stage);
    return run === null ? [] : this.transport.log(run.id).samples;
  }
  staleReason(stage: Stage): string | null {
    return staleReason(stage, this.#inputs);
  }
  staleBestOfN(): string | null {
    return staleBestOfN(this.#inputs);
  }
  missing(stage: Stage): Missing | null {
    return missingFor(stage, this.#inputs);
  }
  /** @throws PlaygroundError `busy` while a run or a measurement is under way */
  requireIdle(): void {
    this.transport.requireIdle();
    this.bestOfN.requireIdle();
    this.experiments.requireIdle();
  }

  /**
   * Starts a stage on the settings of the project, some of them replaced for this run.
   * @param text what pretraining reads
   * @returns the id of the run, as soon as it exists
   * @throws PlaygroundError `config`, `missing`, `busy` or `engine`; nothing has been started then
   */
  async startRun(
    stage: Stage,
    partial: Readonly<Record<string, unknown>> = {},
    text?: string,
  ): Promise<string> {
    const claim = this.requireClaim();
    const config = stageConfig(stage, { ...this.settings(stage), ...partial });
    this.requireIdle();
    const missing = this.missing(stage);
    if (missing !== null) {
      throw new PlaygroundError({
        code: 'missing',
        message: missing.text,
        remedy: `Open the ${missing.page} stage.`,
      });
    }
    const share: unknown = partial.held_out_ratio;
    if (stage === 'sft' && typeof share === 'number') this.demonstrationEdits.splitAgain(share);
    await this.#readyForWorker();
    const { runId } = await this.context.link.call('startRun', {
      projectId: this.record.id,
      claim,
      stage,
      config: { ...config },
      ...(text === undefined ? {} : { text }),
    });
    this.context.onWork(['runs']);
    return runId;
  }
  pauseRun(): Promise<void> {
    return this.#command('pause');
  }
  continueRun(): Promise<void> {
    return this.#command('resume');
  }
  stepRun(): Promise<void> {
    return this.#command('step');
  }
  stopRun(): Promise<void> {
    return this.#command('stop');
  }
  async #command(name: Parameters<RunState['command']>[0]): Promise<void> {
    this.requireWriter();
    await this.transport.command(name);
  }
  async resumeInterrupted(runId: string): Promise<void> {
    const claim = this.requireClaim();
    this.requireIdle();
    await this.#readyForWorker();
    await this.context.link.call('resumeRun', { runId, claim });
  }

  /** The worker reads the database, so everything must be there before it is asked. */
  async #readyForWorker(): Promise<void> {
    await this.context.engineReady();
    await this.flush();
  }
}
