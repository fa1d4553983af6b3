import { createContext } from 'svelte';
import type { Stage } from '../../core/domain';
import type { ProjectState } from '../../state/project.svelte';

/** What the next start of a stage uses besides its settings; shared by stage and transport. */
export class StartOptions {
  /** Text to pretrain on; null means the built-in stories. */
  pretrainText = $state.raw<string | null>(null);

  /** Starts `stage`, with the text that pretraining reads. */
  async start(project: ProjectState, stage: Stage): Promise<void> {
    if (stage !== 'pretrain') {
      await project.startRun(stage);
      return;
    }
    await project.startRun('pretrain', {}, this.pretrainText ?? (await builtInText()));
  }
}

/** The stories that ship with the page. */
export async function builtInText(): Promise<string> {
  const reply = await fetch('./demo/corpus.txt');
  if (!reply.ok) throw new Error(`The built-in text could not be loaded (${reply.status}).`);
  return reply.text();
}

export const [getStartOptions, setStartOptions] = createContext<StartOptions>();
