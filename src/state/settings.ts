/** Settings of a project: what is stored is always valid; what is missing takes its default. */
import { RANKINGS_FIELDS, STAGE_FIELDS, stageConfig } from '../core/config';
import type { RankingsConfig, StageConfigs } from '../core/config';
import { sizeDefaults, type ModelShape } from '../core/config-size';
import type { Project, Run, Stage } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import { completeConfig, defaultsOf, fieldProblem, type Fields } from '../core/fields';
import { isPreset, PRESETS } from '../core/presets';

export type SettingsStage = keyof Project['settings'];
export type Setting = number | string | boolean;
type AllConfigs = StageConfigs & { rankings: RankingsConfig; compare: Record<string, Setting> };

/** The Compare form keeps what was typed last; the worker checks it when it is used. */
function fieldsOf(stage: SettingsStage): Fields | null {
  if (stage === 'compare') return null;
  return stage === 'rankings' ? RANKINGS_FIELDS : STAGE_FIELDS[stage];
}

/**
 * Shape of the base: shipped, made or brought in by a run, or, while there is none yet, that of the model
 * which pretraining would make.
 */
function baseShape({ base, settings }: Project, baseRun: Pick<Run, 'config'> | null): ModelShape {
  const { preset, hidden_size, num_hidden_layers } = baseRun?.config ?? settings.pretrain ?? {};
  if (typeof hidden_size === 'number' && typeof num_hidden_layers === 'number') {
    return { hidden_size, num_hidden_layers };
  }
  const name = baseRun === null && base !== 'scratch' ? base : preset;
  return PRESETS[isPreset(name) ? name : 'nano'];
}

/**
 * The complete settings of a stage. Values that are no longer allowed fall back to their default.
 * @param baseRun the run that the base comes from; null for a shipped base
 */
export function settingsOf<S extends SettingsStage>(
  project: Project,
  stage: S,
  baseRun: Pick<Run, 'config'> | null,
): AllConfigs[S] {
  const stored = project.settings[stage] ?? {};
  const fields = fieldsOf(stage);
  if (fields === null) return { ...stored } as AllConfigs[S];
  const valid = Object.entries(stored).filter(
    ([name, value]) => fields[name] !== undefined && fieldProblem(fields[name], value) === null,
  );
  const ofSize =
    stage === 'rankings' ? {} : sizeDefaults(stage as Stage, baseShape(project, baseRun));
  return { ...defaultsOf(fields), ...ofSize, ...Object.fromEntries(valid) } as AllConfigs[S];
}

/**
 * Why `value` is refused for a setting, as the rest of a sentence about it; null when it is fine.
 * @param settings the other settings of the stage, complete
 */
export function settingProblem(
  settings: Readonly<Record<string, Setting>>,
  stage: SettingsStage,
  name: string,
  value: unknown,
): string | null {
  const fields = fieldsOf(stage);
  if (fields === null) {
    return ['number', 'string', 'boolean'].includes(typeof value) ? null : 'cannot be stored';
  }
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (field === undefined) return `is not a setting of ${stage}`;
  const problem = fieldProblem(field, value);
  if (problem !== null) return problem;
  try {
    const complete = { ...settings, [name]: value };
    if (stage === 'rankings') completeConfig(fields, complete);
    else stageConfig(stage as Stage, complete);
    return null;
  } catch (error) {
    if (error instanceof PlaygroundError) return error.message;
    throw error;
  }
}
