/** Checks as data: what is looked at, why it matters, and what to do when it is not as it should be. */

/** How bad a failure is: an `error` makes the exit code 1, a `warning` does not. */
export type Severity = 'error' | 'warning';

/** What a check found. */
export type Outcome =
  | { readonly state: 'ok'; readonly message: string; readonly details?: readonly string[] }
  /** `severity` and `next` take the place of the check's own, where a failure has several degrees or causes. */
  | {
      readonly state: 'failed';
      readonly message: string;
      readonly details?: readonly string[];
      readonly severity?: Severity;
      readonly next?: string;
    }
  /** There is nothing to check. */
  | { readonly state: 'nothing'; readonly message: string };

export interface Check<Probes> {
  /** `<group>/<name>`: stable, for --skip. */
  readonly id: string;
  readonly what: string;
  readonly why: string;
  readonly severity: Severity;
  readonly next: string;
  /** Checks whose failure is the cause of this one's: it is skipped then. They come before it. */
  readonly after?: readonly string[];
  run(probes: Probes): Promise<Outcome>;
}

export interface CheckResult {
  readonly id: string;
  readonly what: string;
  readonly why: string;
  /** `skipped`: asked for, or its cause failed; `broken`: it could not be run. */
  readonly state: 'ok' | 'warning' | 'failed' | 'nothing' | 'skipped' | 'broken';
  readonly message: string;
  readonly details: readonly string[];
  /** Skipped: the check whose failure is the cause; absent where skipping was asked for. */
  readonly cause?: string;
  /** What to do; where something is not as it should be. */
  readonly next?: string;
  /** Milliseconds. */
  readonly took: number;
}

export interface DoctorReport {
  readonly version: 1;
  readonly result: 'ok' | 'failed' | 'broken';
  readonly checks: readonly CheckResult[];
}
