/** The part of `window.rlhf` about whose preferences a model follows. */
import * as v from 'valibot';
import { ATTRIBUTE_NAMES } from './core/attributes';
import type { AgreementReport } from './core/agreement-report';
import type {
  Disagreement,
  ElectorateRecord,
  HarmDialRecord,
  RightPairRecord,
} from './core/experiments';
import type { SimulatedValues } from './core/people';
import type { ConflictChoice } from './core/merge-rankings';
import { preferenceCard, type PreferenceCard } from './core/preference-card';
import { preferenceMarkdown } from './core/preference-markdown';
import { inSlices } from './core/slices';
import type { App } from './state/app.svelte';
import { rankingsFile, readClass, setsFile, trainerFile } from './state/class-files';
import type { MergeOutcome } from './state/class-merge.svelte';
import { agreementOf, cardInput } from './state/people-report.svelte';
import type { ProjectState } from './state/project.svelte';

import { check, filesSchema, number, text, whole } from './api-arguments';

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

/** @param opened the open project, once there is one */
export function peopleFunctions(app: App, opened: () => Promise<ProjectState>) {
  return {
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
  };
}
