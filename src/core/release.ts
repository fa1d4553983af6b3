/** What a build consists of, as the offline worker knows it. */
export interface ReleaseFile {
  /** Below the page's folder. */
  path: string;
  /** Hex. */
  sha256: string;
  bytes: number;
  /** Large and not needed by everyone: kept when it is first asked for. */
  onDemand: boolean;
}

export interface Release {
  /** Hash of all files. */
  version: string;
  files: ReleaseFile[];
}
