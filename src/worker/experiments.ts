/** Experiments on the project's models as a command: one at a time, told step by step, ended when asked. */
import { stageConfig } from '../core/config';
import type { CandidateSet, Demonstration, Project, Prompt, Ranking, Run } from '../core/domain';
import { experimentHash } from '../core/experiment-inputs';
import type { ExperimentProgress, ExperimentRequest, ExperimentResult } from '../core/experiments';
import { swapElectorate } from '../rlhf/electorate';
import type { ExperimentStart, ExperimentSteps } from '../rlhf/experiment-steps';
import { dialHarm } from '../rlhf/harm-dial';
import { askFirst, rightPairCurves } from '../rlhf/right-pair';
import { demonstrations as demonstrationTable } from '../storage/demonstrations';
import { getProject } from '../storage/projects';
import { prompts as promptTable } from '../storage/prompts';
import { rankings as rankingTable } from '../storage/rankings';
import { runs as runTable } from '../storage/runs';
import { sets as setTable } from '../storage/sets';
import type { InferenceParts } from './inference-commands';
import { ppoPrompts } from './inputs';
import type { Commands } from './protocol';

interface Records {
  project: Project;
  demonstrations: Demonstration[];
  prompts: Prompt[];
  rankings: Ranking[];
  sets: CandidateSet[];
  runs: Run[];
}

export class Experiments {
  private stopping = false;
  private running: Promise<unknown> | null = null;

  /**
   * Resolves with what was measured, or with null when it was ended early. The caller knows that nothing
   * else is under way.
   * @throws PlaygroundError `missing` without an SFT model, rankings or prompts; `config`; `input`
   */
  async run(
    parts: InferenceParts,
    request: Commands['experiment']['request'],
  ): Promise<ExperimentResult | null> {
    this.stopping = false;
    const running = this.drive(parts, request);
    this.running = running;
    try {
      return await running;
    } finally {
      this.running = null;
    }
  }

  /** Resolves when the experiment has ended; at once when none is under way. */
  async stop(): Promise<void> {
    this.stopping = true;
    // How it ended is told to whoever started it.
    await this.running?.catch(() => undefined);
  }

  private async drive(
    parts: InferenceParts,
    request: Commands['experiment']['request'],
  ): Promise<ExperimentResult | null> {
    const { gate, emit } = parts;
    const { name } = request.experiment;
    const { steps, complete } = await gate.run(() => begin(parts, request));
    const started = performance.now();
    try {
      for (;;) {
        const next = await gate.run(() => steps.next());
        if (next.done === true) return complete(next.value);
        emit({ kind: 'experiment', name, ...next.value, msLeft: msLeft(next.value, started) });
        // Lets a waiting stop in: answers of the engine alone need not leave the task.
        await new Promise((resolve) => setTimeout(resolve));
        if (this.stopping) return null;
      }
    } finally {
      await gate.run(() => steps.return(undefined as never));
    }
  }
}

const msLeft = ({ done, total }: ExperimentProgress, started: number): number =>
  ((performance.now() - started) / Math.max(done, 1)) * (total - done);

interface Begun {
  steps: ExperimentSteps<unknown>;
  /** What the experiment gives → what the page is told. */
  complete: (result: unknown) => ExperimentResult;
}

async function begin(
  { db, shelf }: InferenceParts,
  { projectId, experiment, settings }: Commands['experiment']['request'],
): Promise<Begun> {
  const project = await getProject(db, projectId);
  const records: Records = {
    project,
    demonstrations: await demonstrationTable.list(db, projectId),
    prompts: await promptTable.list(db, projectId),
    rankings: await rankingTable.list(db, projectId),
    sets: await setTable.list(db, projectId),
    runs: await runTable.list(db, projectId),
  };
  const sft = await shelf.weights(await shelf.require(project, 'sft'), 'policy');
  const { demonstrations } = records;
  return prepared({ ...sft, demonstrations, seed: project.seed }, records, experiment, settings);
}

/** A generator together with what belongs to its result; the pairing holds for each kind alone. */
function begun<T, R extends ExperimentResult>(
  steps: ExperimentSteps<T>,
  complete: (result: T) => R,
): Begun {
  return { steps, complete: (result) => complete(result as T) };
}

function prepared(
  start: ExperimentStart,
  records: Records,
  experiment: ExperimentRequest,
  settings: Commands['experiment']['request']['settings'],
): Begun {
  const { project, rankings, sets } = records;
  const reward = stageConfig('reward', settings.reward);
  const ppo = stageConfig('ppo', settings.ppo);
  const prompts = ppoPrompts(records.prompts, rankings, records.demonstrations);
  const weights = project.electorate === undefined ? {} : { electorate: project.electorate };
  switch (experiment.name) {
    case 'electorate': {
      const inputHash = experimentHash('electorate', records);
      const labelers = project.labelers ?? [];
      return begun(
        swapElectorate(
          { ...start, rankings, labelers, ...weights, prompts, reward, ppo },
          experiment.ppoIterations,
        ),
        (result) => ({ ...result, inputHash }),
      );
    }
    case 'harm-dial': {
      const inputHash = experimentHash('harm-dial', records);
      const { values, comparisons, ppoIterations, seeds } = experiment;
      return begun(
        dialHarm({ ...start, prompts, reward, ppo }, { values, comparisons, ppoIterations, seeds }),
        (result) => ({ ...result, inputHash }),
      );
    }
    case 'right-pair': {
      const inputHash = experimentHash('right-pair', records);
      const { values, seeds } = experiment;
      const { response_length } = ppo;
      return begun(
        rightPairCurves({ ...start, prompts, reward, response_length }, { values, seeds }),
        (result) => ({ ...result, inputHash }),
      );
    }
    case 'ask-first': {
      const wanted = new Set(experiment.setIds);
      const open = sets
        .filter(({ id }) => wanted.has(id))
        .map(({ id, prompt, completions }) => ({
          id,
          prompt,
          texts: completions.map(({ text }) => text),
        }));
      return begun(
        askFirst({ ...start, rankings, ...weights, sets: open, reward }),
        (result) => result,
      );
    }
  }
}
