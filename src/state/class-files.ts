/** Class files of a project: sets to rank on the way out, rankings on the way back, a project from sets. */
import { originOf, type ClassFile, type ClassRanking, type ClassSet } from '../core/class-file';
import type { CandidateSet, Project, Prompt, Ranking } from '../core/domain';
import { PlaygroundError } from '../core/errors';
import { DEFAULT_GUIDELINE } from '../core/guideline';
import type { Labeler } from '../core/people';
import { preferenceCard } from '../core/preference-card';
import { hashText, permutation, STREAM } from '../core/rng';
import { inSlices } from '../core/slices';
import { without } from '../core/without';
import {
  checkClassFileSize,
  readClassFile,
  writeClassFile,
  type ReadClassFile,
} from '../formats/class-file';
import type { ProjectBundle } from '../formats/project-file';
import { rankingsZip, type RankingsFormat } from '../formats/rankings-zip';
import { freshProject } from './fresh-project';
import { newId } from './ids';
import { cardInput } from './people-report.svelte';
import { plainMap, plainSet } from './plain-collections';
import type { ProjectState } from './project.svelte';

const JSON_TYPE = { type: 'application/json' };

const head = ({ record, people }: ProjectState): Omit<ClassFile, 'sets' | 'rankings'> => ({
  format: 'rlhf-playground-class',
  version: 1,
  origin: originOf(record),
  madeIn: record.id,
  project: record.name,
  groups: [...people.groups],
  guidelines: [],
  labelers: [],
  exposures: [],
});

const classSet = ({ id, prompt, completions }: CandidateSet): ClassSet => ({
  id,
  prompt,
  completions: completions.map(({ text, finish }) => ({ text, finish })),
});

/** What the teacher says to the class. */
export interface ClassInvitation {
  /** What is asked of it. */
  task?: string;
  /** Groups to choose from; those of the project's labelers where nothing is said. */
  groups?: readonly string[];
}

/**
 * What a class needs to rank: prompts, completions, the guideline in force, names of groups. No model,
 * no name of anybody, no ranking.
 * @throws PlaygroundError `missing` when there is nothing to rank
 */
export function setsFile(
  project: ProjectState,
  { task = '', groups = project.people.groups }: ClassInvitation = {},
): Blob {
  if (project.sets.length === 0) {
    throw new PlaygroundError({
      code: 'missing',
      message: 'There is nothing to rank yet.',
      remedy: 'Write completions on the Rankings step first.',
    });
  }
  const file: ClassFile = {
    ...head(project),
    groups: [...plainSet(groups.map((group) => group.trim()).filter((group) => group !== ''))],
    ...(task.trim() === '' ? {} : { task: task.trim() }),
    guidelines: [project.people.guideline],
    sets: project.sets.map(classSet),
    rankings: [],
  };
  return new Blob([writeClassFile(file)], JSON_TYPE);
}

/**
 * The project's rankings with the sets that they are of, their labelers, guidelines, and the ledger of
 * harmful texts read. Simulated rankings come along under their mark.
 * @param labeler only theirs; everybody's otherwise
 * @throws PlaygroundError `missing` when there is none
 */
export async function rankingsFile(project: ProjectState, labeler?: string): Promise<Blob> {
  const wanted = project.rankings.filter((one) => labeler === undefined || one.labeler === labeler);
  if (wanted.length === 0) throw noRankings();
  const sets = plainMap<string, ClassSet>();
  const bySetId = plainMap(project.sets.map((set) => [set.id, set] as const));
  const rankings = wanted.map((ranking): ClassRanking => {
    const texts = JSON.stringify([ranking.prompt, ...ranking.completions]);
    const own = ranking.setId === null ? undefined : bySetId.get(ranking.setId);
    const set = sets.get(texts) ?? setOf(ranking, own, sets.size);
    sets.set(texts, set);
    const { source } = ranking;
    return {
      ...without(ranking, 'projectId', 'setId', 'prompt', 'completions', 'seq', 'source'),
      id: source?.id ?? ranking.id,
      set: set.id,
      ...(ranking.repeatOf === undefined
        ? {}
        : { repeatOf: idThere(project.rankings, ranking.repeatOf) }),
      ...(source?.project === undefined ? {} : { madeIn: source.project }),
    };
  });
  const codes = plainSet(wanted.map((one) => one.labeler));
  const versions = plainSet(wanted.map(({ guideline }) => guideline));
  const card = await inSlices(
    preferenceCard({
      project: project.record,
      rankings: wanted,
      demonstrations: [],
      reward: null,
    }),
  );
  const file: ClassFile = {
    ...head(project),
    guidelines: project.people.guidelines.filter(({ version }) => versions.has(version)),
    labelers: project.people.labelers.filter(({ code }) => codes.has(code)),
    sets: [...sets.values()],
    rankings,
    exposures: project.people.exposures.filter((one) => codes.has(one.labeler)),
    preferences: card,
  };
  return new Blob([writeClassFile(file)], JSON_TYPE);
}

/** The id that a ranking had where it was made. */
const idThere = (rankings: readonly Ranking[], id: string): string =>
  rankings.find((one) => one.id === id)?.source?.id ?? id;

const setOf = (
  { prompt, completions }: Ranking,
  own: CandidateSet | undefined,
  number: number,
): ClassSet => {
  const same =
    own !== undefined &&
    own.prompt === prompt &&
    own.completions.map(({ text }) => text).join('\0') === completions.join('\0');
  return same
    ? classSet(own)
    : {
        id: `texts-${number + 1}`,
        prompt,
        completions: completions.map((text) => ({ text, finish: 'eos' })),
      };
};

/** Reads a class file without stopping the page. @throws PlaygroundError `input`, `format` */
export async function readClass(file: File): Promise<ReadClassFile> {
  checkClassFileSize(file.name, file.size);
  return inSlices(readClassFile(file.name, new Uint8Array(await file.arrayBuffer())));
}

/** Who is going to rank in a project that is made from a class file. */
export type ClassMember = Pick<Labeler, 'code' | 'groups' | 'consentedAt'>;

/**
 * A project that has the sets of a class file and nothing else: no model is needed to rank them.
 *
 * Each labeler sees an order of their own, drawn from their code: if the first place on the screen
 * attracts, it attracts towards another completion for each of them, and the class's sum is even.
 * @throws PlaygroundError `format` when no set can be ranked
 */
export function classProject({ file }: ReadClassFile, member: ClassMember): ProjectBundle {
  if (file.sets.length === 0) {
    throw new PlaygroundError({
      code: 'format',
      field: 'sets',
      message: 'There is nothing to rank in this class file.',
      remedy: 'Ask for the file that “Save sets for the class” wrote.',
    });
  }
  const project: Project = {
    ...freshProject({ name: file.project, base: 'nano', seed: 1 }, []),
    page: 'rankings',
    origin: file.origin,
    labelers: [{ ...member, simulated: null, dailyHarmLimit: null }],
    guidelines: file.guidelines.length === 0 ? [DEFAULT_GUIDELINE] : file.guidelines,
  };
  const projectId = project.id;
  const prompts = plainMap<string, Prompt>();
  for (const { prompt } of file.sets) {
    if (!prompts.has(prompt)) {
      prompts.set(prompt, { id: newId(), projectId, text: prompt, seq: prompts.size });
    }
  }
  const labelerSeed = hashText(member.code);
  const sets = file.sets.map((set, seq): CandidateSet => {
    const texts = set.completions.map(({ text }) => text);
    return {
      id: newId(),
      projectId,
      promptId: prompts.get(set.prompt)!.id,
      prompt: set.prompt,
      completions: set.completions.map((one) => ({ ...one, tokens: [], logprobs: [] })),
      order: permutation(
        texts.length,
        labelerSeed,
        STREAM.display,
        hashText(JSON.stringify([set.prompt, ...texts])),
      ),
      sourceRunId: '',
      temperature: 1,
      seed: 0,
      seq,
    };
  });
  return {
    project,
    demonstrations: [],
    prompts: [...prompts.values()],
    sets,
    rankings: [],
    runs: [],
    inputs: [],
    metrics: [],
    samples: [],
    checkpoints: [],
  };
}

/** Rankings for preference trainers. @throws PlaygroundError `missing` when there are none */
export async function trainerFile(project: ProjectState, format: RankingsFormat): Promise<Blob> {
  if (project.rankings.length === 0) throw noRankings();
  return rankingsZip(project.rankings, format, await inSlices(preferenceCard(cardInput(project))));
}

const noRankings = (): PlaygroundError =>
  new PlaygroundError({ code: 'missing', message: 'There are no rankings to save yet.' });
