/**
 * What travels in a class file: sets to rank on the way out, rankings on the way back. No model, no
 * weights; a few kilobytes. Read and written by src/formats/class-file.ts.
 */
import type { Completion, Project, Ranking } from './domain';
import type { Exposure, Guideline, Labeler } from './people';
import type { PreferenceCard } from './preference-card';

export interface ClassSet {
  id: string;
  prompt: string;
  completions: Pick<Completion, 'text' | 'finish'>[];
}

/** A ranking of one of the file's sets; its texts stand there, once for all who ranked them. */
export interface ClassRanking extends Omit<
  Ranking,
  'projectId' | 'setId' | 'prompt' | 'completions' | 'seq' | 'source'
> {
  set: string;
  /** The project in which it was made, when that is another than the file's. */
  madeIn?: string;
}

export interface ClassFile {
  format: 'rlhf-playground-class';
  version: 1;
  /** The project that all of the class started from: files of one origin belong together. */
  origin: string;
  /** The project that wrote the file. */
  madeIn: string;
  /** Its name. */
  project: string;
  /** What the teacher asks of the class. */
  task?: string;
  /** Groups to choose from. */
  groups: string[];
  guidelines: Guideline[];
  /** Of those who ranked. */
  labelers: Labeler[];
  sets: ClassSet[];
  rankings: ClassRanking[];
  exposures: Exposure[];
  /** For people and programs that read the file; an import does not look at it. */
  preferences?: PreferenceCard;
}

/** The project in which a lineage began: all files and copies of it carry this id. */
export const originOf = ({ id, origin }: Pick<Project, 'id' | 'origin'>): string => origin ?? id;

/** An entry of a file that was not taken, and why. */
export interface Quarantined {
  file: string;
  /** `rankings 3`, `labelers 1`: counted from 1. */
  where: string;
  reason: string;
}
