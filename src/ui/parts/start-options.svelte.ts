import { createContext } from 'svelte';
import type { Stage } from '../../core/domain';
import type { ProjectState } from '../../state/project.svelte';

/** What the next start of a stage uses besides its settings; shared by stage and transport. */
export class StartOptions {
  /** Text to pretrain on; null means the built-in stories. */
  pretrainText = $state.raw<string | null>(null);
  readonly #builtInText: () => Promise<string>;

  constructor(builtInText: () => Promise<string>) {
    this.#builtInText = builtInText;
  }

  /** Starts `stage`, with the text that pretraining reads. */
  async start(project: ProjectState, stage: Stage): Promise<void> {
    if (stage !== 'pretrain') {
      await project.startRun(stage);
      return;
    }
    await project.startRun('pretrain', {}, this.pretrainText ?? (await this.#builtInText()));
  }
}

export const [getStartOptions, setStartOptions] = createContext<StartOptions>();
