/** Whose rankings count, and the experiments on it: run by the worker, stored in the project's record. */
import type { PpoConfig, RewardConfig } from '../core/config';
import type { CandidateSet, Demonstration, Project, Prompt, Ranking, Run } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import type {
  Disagreement,
  ElectorateRecord,
  ElectorateRequest,
  ExperimentCommands,
  ExperimentName,
  ExperimentProgress,
  ExperimentRequest,
  Experiments as Stored,
  HarmDialRecord,
  HarmDialRequest,
  RightPairRecord,
  RightPairRequest,
} from '../core/experiments';
import type { WorkerEvent } from '../worker/protocol';
import type { WorkerLink } from './ports';
import { staleExperiment } from './staleness';

export interface ExperimentsContext {
  link: WorkerLink;
  /** Resolves when the engine runs and everything that the worker reads is stored. */
  ready(): Promise<void>;
  /** @throws PlaygroundError `busy` while something else is under way */
  requireIdle(): void;
  change(change: Partial<Project>): void;
  inputs(): {
    project: Project;
    demonstrations: readonly Demonstration[];
    prompts: readonly Prompt[];
    rankings: readonly Ranking[];
    runs: readonly Run[];
  };
  settings(): { reward: RewardConfig; ppo: PpoConfig };
  /** Sets that wait for the labeler at work. */
  pendingSets(): readonly CandidateSet[];
}

/** A labeler who counts more than this drowns everyone else. */
export const MAX_WEIGHT = 10;

export class Experiments {
  /** What is under way; null while nothing is. */
  progress: (ExperimentProgress & { name: ExperimentName; msLeft: number | null }) | null =
    $state.raw(null);
  readonly #context: ExperimentsContext;

  constructor(context: ExperimentsContext) {
    this.#context = context;
  }

  get #record(): Project {
    return this.#context.inputs().project;
  }
  get #stored(): Stored {
    return this.#record.experiments ?? {};
  }

  // Whose rankings count

  /** Weights that are not 1, by labeler. */
  get electorate(): Readonly<Record<string, number>> {
    return this.#record.electorate ?? {};
  }

  /**
   * Changes the weights of some labelers; 1 counts once, 0 leaves out.
   * @throws PlaygroundError `argument` for a weight outside 0 … `MAX_WEIGHT`; nothing has changed then
   */
  weigh(weights: Readonly<Record<string, number>>): void {
    for (const [labeler, weight] of Object.entries(weights)) {
      if (Number.isFinite(weight) && weight >= 0 && weight <= MAX_WEIGHT) continue;
      throw new PlaygroundError({
        code: 'argument',
        field: labeler,
        message: `The weight of “${labeler}” must be a number from 0 to ${MAX_WEIGHT}, not ${weight}.`,
      });
    }
    const all = Object.entries({ ...this.electorate, ...weights });
    this.#context.change({
      electorate: Object.fromEntries(all.filter(([, weight]) => weight !== 1)),
    });
  }

  // Experiments

  get electorateRecord(): ElectorateRecord | null {
    return this.#stored.electorate ?? null;
  }
  get harmDialRecord(): HarmDialRecord | null {
    return this.#stored.harmDial ?? null;
  }
  get rightPairRecord(): RightPairRecord | null {
    return this.#stored.rightPair ?? null;
  }

  /** Why what is stored of an experiment is out of date; null when it is not, or when there is none. */
  stale(name: Exclude<ExperimentName, 'ask-first'>): string | null {
    const { electorate, harmDial, rightPair } = this.#stored;
    const record = { electorate, 'harm-dial': harmDial, 'right-pair': rightPair }[name];
    if (record === undefined) return null;
    return staleExperiment(name, record.inputHash, this.#context.inputs());
  }

  /** One reward model for each group, judged by all; null when it was stopped. */
  async swapElectorate(request: ElectorateRequest): Promise<ElectorateRecord | null> {
    const electorate = await this.#run('electorate', { name: 'electorate', ...request });
    if (electorate !== null) this.#keep({ electorate });
    return electorate;
  }
  async dialHarm(request: HarmDialRequest): Promise<HarmDialRecord | null> {
    const harmDial = await this.#run('harm-dial', { name: 'harm-dial', ...request });
    if (harmDial !== null) this.#keep({ harmDial });
    return harmDial;
  }
  async rightPair(request: RightPairRequest): Promise<RightPairRecord | null> {
    const rightPair = await this.#run('right-pair', { name: 'right-pair', ...request });
    if (rightPair !== null) this.#keep({ rightPair });
    return rightPair;
  }

  /** Puts the waiting sets in front about which an ensemble of reward models disagrees most. */
  async askFirst(): Promise<Disagreement[] | null> {
    const setIds = this.#context.pendingSets().map(({ id }) => id);
    if (setIds.length === 0) {
      throw new PlaygroundError({
        code: 'missing',
        field: 'sets',
        message: 'No set of completions waits to be ranked.',
        remedy: 'Write completions in the Rankings stage first.',
      });
    }
    const order = await this.#run('ask-first', { name: 'ask-first', setIds });
    if (order !== null) this.#context.change({ askFirst: order.map(({ setId }) => setId) });
    return order;
  }
  /** Back to the order in which the sets were written. */
  forgetOrder(): void {
    this.#context.change({ askFirst: [] });
  }

  /** Ends what is under way; nothing of it is kept. */
  async stop(): Promise<void> {
    if (this.progress !== null) await this.#context.link.call('stopExperiment', {});
  }

  /** @throws PlaygroundError `busy` */
  requireIdle(): void {
    if (this.progress === null) return;
    throw new PlaygroundError({
      code: 'busy',
      message: 'An experiment on whose preferences count is under way.',
      remedy: 'Wait until it has finished, or stop it.',
    });
  }

  handle(event: Extract<WorkerEvent, { kind: 'experiment' }>): void {
    const { name, done, total, doing, msLeft } = event;
    if (this.progress?.name === name) this.progress = { name, done, total, doing, msLeft };
  }

  #keep(result: Stored): void {
    this.#context.change({ experiments: { ...this.#stored, ...result } });
  }

  async #run<K extends ExperimentName>(
    name: K,
    experiment: ExperimentRequest & { name: K },
  ): Promise<ExperimentCommands[K]['result'] | null> {
    this.#context.requireIdle();
    this.progress = { name, done: 0, total: 0, doing: 'loading the models', msLeft: null };
    try {
      await this.#context.ready();
      const { reward, ppo } = this.#context.settings();
      const result = await this.#context.link.call('experiment', {
        projectId: this.#record.id,
        experiment,
        settings: { reward: { ...reward }, ppo: { ...ppo } },
      });
      // The worker answers each kind of experiment with its own kind of result.
      return result;
    } finally {
      this.progress = null;
    }
  }
}
