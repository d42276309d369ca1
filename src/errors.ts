/**
 * The error catalogue. Users and tests match the code, never the words.
 *
 * Inside pure code errors are values (`Problem`); at the edges they are thrown as `FairleadError`.
 */
import type { Position } from './config/resource.ts';

/** Exit codes of the command line: findings or a failed check, wrong usage, could not do it. */
export const EXIT = { done: 0, findings: 1, usage: 2, failed: 3 } as const;

/** Every code, with the exit code that the command line gives it. */
export const ERROR_CODES = {
  E_USAGE: EXIT.usage,
  E_CONFIG_UNREADABLE: EXIT.failed,
  E_CONFIG_INVALID: EXIT.findings,
  E_CONFIG_REFUSED: EXIT.failed,
  E_PROXY_UNKNOWN: EXIT.usage,
  E_PROXY_ELSEWHERE: EXIT.failed,
  E_KIND_UNKNOWN: EXIT.usage,
  E_DUMP_INVALID: EXIT.failed,
  E_TEST_INVALID: EXIT.failed,
  E_AGENT_UNREACHABLE: EXIT.failed,
  E_AGENT_RUNNING: EXIT.failed,
  E_PORT_IN_USE: EXIT.failed,
  E_PORT_FORBIDDEN: EXIT.failed,
  E_DATA_DIRECTORY: EXIT.failed,
  E_ENGINE_FAILED: EXIT.failed,
  E_ENVOY_NOT_FOUND: EXIT.failed,
  E_ENVOY_UNUSABLE: EXIT.failed,
  E_ENVOY_INSTALL: EXIT.failed,
  E_SERVICE_UNKNOWN: EXIT.usage,
  E_ROUTE_UNKNOWN: EXIT.usage,
  E_SUBSET_UNKNOWN: EXIT.usage,
  E_CERTIFICATE_UNREADABLE: EXIT.failed,
  E_CONNECTION_FAILED: EXIT.failed,
  E_CA_MISSING: EXIT.failed,
  E_CA_EXISTS: EXIT.failed,
  E_CA_DIRECTORY: EXIT.failed,
  E_CA_BUSY: EXIT.failed,
  E_CA_KEY: EXIT.failed,
  E_CA_POLICY: EXIT.failed,
  E_CA_REFUSED: EXIT.failed,
  E_CA_WAITING: EXIT.findings,
  E_KUBECONFIG: EXIT.failed,
  E_CLUSTER_UNREACHABLE: EXIT.failed,
  E_CLUSTER_UNAUTHORIZED: EXIT.failed,
  E_CLUSTER_FORBIDDEN: EXIT.failed,
  E_REMOTE_SECRET: EXIT.failed,
  E_POD_UNKNOWN: EXIT.usage,
  E_POD_UNREACHABLE: EXIT.failed,
  E_INSTALL_CONFLICT: EXIT.failed,
  E_INSTALL_EXISTS: EXIT.failed,
  E_INSTALL_MISSING: EXIT.failed,
  E_INSTALL_REFUSED: EXIT.failed,
  E_INSTALL_NOT_READY: EXIT.failed,
  E_REVISION_UNKNOWN: EXIT.failed,
  E_EDIT_REFUSED: EXIT.failed,
  E_FILE_CHANGED: EXIT.failed,
  E_OBJECT_CHANGED: EXIT.failed,
  E_FILE_UNWRITABLE: EXIT.failed,
  E_CAPTURE_FAILED: EXIT.failed,
  E_DEMO_FAILED: EXIT.findings,
  E_INTERNAL: EXIT.failed,
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** One thing that is wrong: what, where, why and what to do next. Positions are 1-based. */
export interface Problem {
  /** `error` is refused, `warning` is applied but not whole (for example a field that nothing acts on yet). */
  severity: 'error' | 'warning';
  /** Stable: `schema/unknown-field`, `yaml/syntax`, `unsupported/field`, … Users suppress and tests match by it. */
  rule: string;
  /** One sentence, without a final full stop, that names the value. */
  message: string;
  /** What to do next, when there is something better than fixing what the message names. */
  hint?: string;
  position?: Position;
  /** `VirtualService default/payments`, when the document could be read that far. */
  origin?: string;
  /** The field, as `spec.http[0].route[1].weight`. */
  path?: string;
}

/** Thrown at the edges only. `message` says what happened; `why` and `next` are shown under it. */
export class FairleadError extends Error {
  readonly code: ErrorCode;
  readonly problems: readonly Problem[];
  readonly position: Position | undefined;
  readonly next: string | undefined;
  override readonly name = 'FairleadError';

  constructor(
    code: ErrorCode,
    message: string,
    more: { problems?: readonly Problem[]; position?: Position; next?: string; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.problems = more.problems ?? [];
    this.position = more.position;
    this.next = more.next;
  }

  get exitCode(): number {
    return ERROR_CODES[this.code];
  }
}
