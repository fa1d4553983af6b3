import type { RlhfApi } from '../../src/api';

declare global {
  interface Window {
    readonly rlhf: RlhfApi;
  }
}
