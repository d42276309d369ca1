import type { Problem } from '../errors.ts';

/** Collects what is wrong with one configuration while it is compiled. Paths name fields as protobuf JSON spells them. */
export class ProblemList {
  readonly all: Problem[] = [];

  /** A field that Fairlead does not carry out: the configuration is refused. */
  unsupported(path: string, why?: string): void {
    this.all.push({
      severity: 'error',
      rule: 'unsupported/field',
      message: `${path} is not supported${why === undefined ? '' : `: ${why}`}`,
      path,
    });
  }

  /** A value that Envoy would refuse too. */
  invalid(path: string, message: string): void {
    this.all.push({ severity: 'error', rule: 'envoy/invalid', message: `${path}: ${message}`, path });
  }

  get failed(): boolean {
    return this.all.some((problem) => problem.severity === 'error');
  }
}
