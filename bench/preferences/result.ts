/** What one run of an experiment is asked and gives: JSON, kept so that a long benchmark can go on. */
export interface PreferenceTask {
  demonstrations: { prompt: string; completion: string }[];
  prompts: string[];
  seed: number;
}
