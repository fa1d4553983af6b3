/** Kernels that bring each row of a matrix to a few numbers: a norm, a softmax, a draw. */
import type { KernelFamily, Variant } from '../../core/device-report';
import { elementGroups, type Dispatch } from '../dispatch';
import reduceShared from '../kernels/reduce-shared.wgsl?raw';
import reduceSubgroups from '../kernels/reduce-subgroups.wgsl?raw';
import { variantOf } from '../variants';

/** One kernel in all variants. */
export class RowKernel {
  private readonly family: KernelFamily;
  private readonly code: string;
  private readonly rowsOfGroup: number;
  private readonly together: Partial<Record<Variant, string>>;

  /**
   * @param alone an invocation takes a row, a workgroup `rowsOfGroup` of them
   * @param together a workgroup takes a row; uses `group_sum` and `group_max` of reduce-*.wgsl
   */
  constructor(family: KernelFamily, alone: string, rowsOfGroup: number, together: string) {
    this.family = family;
    this.code = alone;
    this.rowsOfGroup = rowsOfGroup;
    this.together = {
      shared: reduceShared + together,
      subgroups: reduceSubgroups + together,
    };
  }

  /** Text and workgroups of the variant in use. */
  forRows(rows: number): Pick<Dispatch, 'code' | 'groups'> {
    const together = this.together[variantOf(this.family)];
    return together === undefined
      ? this.alone(rows)
      : { code: together, groups: elementGroups(rows, 1) };
  }

  /** The one that needs no workgroup memory. */
  alone(rows: number): Pick<Dispatch, 'code' | 'groups'> {
    return { code: this.code, groups: elementGroups(rows, this.rowsOfGroup) };
  }
}
