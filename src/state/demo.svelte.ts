/** "Run the demo": the whole loop on bundled data with the simulated labeler, told as it happens. */
import type { PageStage, Run, Stage } from '../core/domain';
import { PlaygroundError, toErrorDetails } from '../core/errors';
import { ATTRIBUTE_WORDS } from '../core/judgement';
import { simulatedLabelerName } from '../core/simulated-labeler';
import { afterPaint } from './after-paint';
import type { App } from './app.svelte';
import type { DemoTask } from './demo-task';
import type { ProjectState } from './project.svelte';
import { countComparisons } from './staleness';

export interface NarrationLine {
  text: string;
  done: boolean;
}

/** Small enough for a software GPU, large enough that the reward moves. */
const PROMPTS = 40;
/** Fewer and longer steps than the defaults, for a curve in a minute. */
const PPO = {
  num_iterations: 20,
  rollout_batch_size: 24,
  learning_rate: 1.2e-3,
  kl_coef: 0.1,
};
const SEED = 1;

class DemoCancelled extends Error {}

const digits = (value: number | undefined, count = 2): string =>
  value === undefined ? 'unknown' : value.toFixed(count);

export class DemoRunner {
  running = $state(false);
  narration: readonly NarrationLine[] = $state.raw([]);
  readonly #app: App;
  #cancelled = false;
  #project: ProjectState | null = null;

  constructor(app: App) {
    this.#app = app;
  }

  /**
   * Runs the demo of a task in a new project. Problems are told in the narration and as a message.
   * @throws PlaygroundError `not-found` for an unknown task, `busy` while a run is under way
   */
  async start(taskId: string): Promise<void> {
    const task = this.#app.demoTasks.find(({ id }) => id === taskId);
    if (task === undefined) {
      throw new PlaygroundError({
        code: 'not-found',
        field: 'taskId',
        message: `There is no demo called "${taskId}".`,
      });
    }
    if (this.running) throw new PlaygroundError({ code: 'busy', message: 'The demo is running.' });
    this.#app.project?.transport.requireIdle();
    this.running = true;
    this.#cancelled = false;
    this.narration = [];
    try {
      await this.#tell(task);
    } catch (error) {
      this.#finishLine();
      if (error instanceof DemoCancelled || this.#cancelled) {
        this.#say('The demo was stopped. The project is yours: go on by hand from here.');
      } else {
        const { message, remedy } = toErrorDetails(error);
        this.#say(`The demo could not go on: ${message}`);
        this.#app.notify('error', `The demo could not go on: ${message}`, remedy);
      }
      this.#finishLine();
    } finally {
      this.running = false;
      this.#project = null;
    }
  }

  /** Stops after the step in hand; what has been trained so far stays. */
  cancel(): void {
    if (!this.running) return;
    this.#cancelled = true;
    if (this.#project?.transport.active) {
      this.#project.stopRun().catch((error: unknown) => {
        this.#app.notify('error', toErrorDetails(error).message);
      });
    }
  }

  async #tell(task: DemoTask): Promise<void> {
    this.#say(
      `New project "${task.title}" on the nano base model, a small language model that has only read simple stories.`,
    );
    await this.#app.createProject({ name: `Demo: ${task.title}`, base: 'nano', seed: SEED });
    const project = this.#app.project;
    if (project === null)
      throw new PlaygroundError({ code: 'missing', message: 'No project is open.' });
    this.#project = project;
    await afterPaint();

    await this.#open('sft');
    project.loadTask(task, { demonstrations: true });
    await afterPaint();
    const { length: count } = project.demonstrations;
    this.#say(
      `SFT (supervised fine-tuning): the model learns to answer from ${count} demonstrations; fewer than half of the answers are ${ATTRIBUTE_WORDS[task.attribute]}. Watch the training loss fall; when the held-out loss turns up, it has begun to memorise.`,
    );
    await this.#train('sft');

    await this.#open('rankings');
    project.addPrompts(task.prompts.slice(0, PROMPTS).join('\n'));
    const k = project.settings('rankings').num_completions;
    this.#say(
      `The SFT model writes ${k} completions for each of ${project.prompts.length} prompts. They differ because every token is drawn at random.`,
    );
    await project.generateCandidates();
    await afterPaint();
    this.#check();

    const labeler = simulatedLabelerName(task.attribute);
    this.#say(
      `A simulated labeler ("${labeler}", a fixed rule with some noise, not a person) ranks the completions of each prompt. Here you would rank them yourself.`,
    );
    project.simulateRankings({ attribute: task.attribute });
    await project.flush();
    this.#check();

    await this.#open('reward');
    this.#say(
      `Reward model: it learns from ${countComparisons(project.rankings)} comparisons of the simulated labeler to give the preferred completion the higher score. Watch the accuracy on held-out pairs: 50 % would be guessing.`,
    );
    await this.#train('reward');

    await this.#open('ppo');
    for (const [name, value] of Object.entries(PPO)) project.setSetting('ppo', name, value);
    this.#say(
      `PPO: ${PPO.num_iterations} times the policy writes ${PPO.rollout_batch_size} completions, the reward model scores them, and what scored well is made more likely. Watch the reward rise, and the KL below it: how far, in nats, the policy has moved from the SFT model.`,
    );
    await this.#train('ppo');
    const first = project.rows('ppo')[0];
    const last = project.rows('ppo').at(-1);

    await this.#open('compare');
    const prompt = task.heldOutPrompts[0] ?? task.prompts[0] ?? '';
    this.#say(`Compare: base, SFT and PPO answer "${prompt}", which none of them was trained on.`);
    const { max_new_tokens: maxNewTokens } = project.settings('rankings');
    const how = { seed: SEED, temperature: 0.7, maxNewTokens };
    const cells = await project.comparisons.compare({ prompt, ...how });
    const answers = cells.map(({ model, completion, score }) => {
      const scored = score === null ? '' : ` (score ${digits(score)})`;
      return `${model} says "${completion.text}"${scored}`;
    });
    this.#say(`${answers.join('; ')}. Now all ${task.heldOutPrompts.length} held-out prompts.`);
    this.#check();
    const { summaries } = await project.comparisons.judge(task, { ...how, temperature: 1 });
    const rates = summaries.map(
      ({ model, attributeRate }) => `${model} ${Math.round(100 * attributeRate)} %`,
    );
    this.#say(
      `Mean reward of PPO went from ${digits(first?.['objective/scores'])} to ${digits(last?.['objective/scores'])} at a KL of ${digits(last?.['objective/kl'])} nats. But reward is only what the reward model likes. By the labeler's own rule, so many answers are ${ATTRIBUTE_WORDS[task.attribute]}: ${rates.join(', ')}. Read the texts, and judge for yourself.`,
    );
    this.#finishLine();
  }

  async #train(stage: Stage): Promise<Run> {
    const project = this.#project;
    if (project === null) throw new DemoCancelled();
    const runId = await project.startRun(stage);
    if (this.#cancelled) await project.stopRun();
    const run = await project.transport.finished(runId);
    await afterPaint();
    this.#check();
    return run;
  }

  /** Turns to a page and lets it be drawn before there is more to do. */
  async #open(page: PageStage): Promise<void> {
    this.#check();
    this.#project?.goto(page);
    await afterPaint();
    this.#check();
  }

  #check(): void {
    if (this.#cancelled) throw new DemoCancelled();
  }

  #say(text: string): void {
    this.#finishLine();
    this.narration = [...this.narration, { text, done: false }];
  }

  #finishLine(): void {
    this.narration = this.narration.map((line) => ({ ...line, done: true }));
  }
}
