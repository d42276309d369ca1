/** What went wrong between here and an API server, as errors that say who may not do what. */
import type { IncomingMessage } from 'node:http';
import { FairleadError } from '../errors.ts';

interface Asked {
  readonly context: string;
  readonly server: string;
}

interface Failure {
  status: number;
  text: string;
  path: string;
  method: string;
  answer: IncomingMessage;
}

/** One of the reasons of a refusal. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

/** An API server refused a request, for another reason than who asks. `reason` is Kubernetes' own: `NotFound`, `Expired`, `Conflict`, … */
export class ApiStatusError extends Error {
  readonly status: number;
  readonly reason: string;
  /** How long the API server asks to be left alone, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** What it is about, field by field, as the API server tells it. */
  readonly causes: readonly StatusCause[];
  override readonly name = 'ApiStatusError';

  constructor(status: number, reason: string, message: string, retryAfterMs?: number, causes: readonly StatusCause[] = []) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
    this.causes = causes;
  }
}

/** A list or watch that must begin anew: what it was to go on from is forgotten. */
export function isExpired(error: unknown): boolean {
  return error instanceof ApiStatusError && (error.status === 410 || error.reason === 'Expired' || error.reason === 'Gone');
}

/** True for what an API server refuses to this user. */
export function isForbidden(error: unknown): error is FairleadError {
  return error instanceof FairleadError && error.code === 'E_CLUSTER_FORBIDDEN';
}

/** The error for an answer that is no success. */
export function apiFailure({ context, server }: Asked, { status, text, path, method, answer }: Failure): Error {
  const { message, reason, causes } = statusOf(text);
  if (status === 401)
    return new FairleadError('E_CLUSTER_UNAUTHORIZED', `the API server of ${context} does not know who asks (401)`, {
      next: `Its credentials may have expired: log in to ${server} again, or choose another --context.`,
    });
  if (status === 403)
    return new FairleadError('E_CLUSTER_FORBIDDEN', `the API server of ${context} refuses it: ${deniedText(message, method, path)}`, {
      next: 'Grant it with a Role or ClusterRole; docs/kubernetes.md has the smallest one that does.',
    });
  const seconds = Number(answer.headers['retry-after']);
  return new ApiStatusError(
    status,
    reason,
    `the API server of ${context} answers ${status} to ${method} ${path}: ${message || reason || 'no reason given'}`,
    seconds > 0 ? seconds * 1000 : undefined,
    causes,
  );
}

/** The error for a request that had no answer. */
export function unreachable({ context, server }: Asked, error: Error): Error {
  if (error.name === 'AbortError' || error instanceof FairleadError) return error;
  const { code } = error as NodeJS.ErrnoException;
  const host = new URL(server).host;
  const why =
    code === 'ECONNREFUSED'
      ? `nothing listens at ${host}`
      : code === 'ENOTFOUND' || code === 'EAI_AGAIN'
        ? `there is no host ${new URL(server).hostname}`
        : (code ?? '').startsWith('ERR_TLS') || /certificate|self.signed/i.test(error.message)
          ? `its certificate is not trusted: ${error.message}`
          : error.message;
  return new FairleadError('E_CLUSTER_UNREACHABLE', `the API server of ${context} cannot be asked: ${why}`, {
    next: 'See whether the cluster runs and can be reached from here, or choose another --context.',
    cause: error,
  });
}

function statusOf(text: string): { message: string; reason: string; causes: readonly StatusCause[] } {
  try {
    const { message, reason, details } = JSON.parse(text) as { message?: unknown; reason?: unknown; details?: { causes?: StatusCause[] } };
    return { message: String(message ?? ''), reason: String(reason ?? ''), causes: details?.causes ?? [] };
  } catch {
    return { message: text.trim().slice(0, 200), reason: '', causes: [] };
  }
}

/** `… User "bob" cannot list resource "pods" in API group "" at the cluster scope` names all that is needed; the first part is noise. */
function deniedText(message: string, method: string, path: string): string {
  const told = /(User ".*" cannot .*)/s.exec(message)?.[1];
  // Admission refuses with the same status, for reasons of its own.
  return told ?? (message || `${method} ${path} is forbidden`);
}

/** Verb and resource of a refusal, as `list pods`, for short notes. */
export function deniedWhat(error: Error): string {
  const [, verb = '', resource = '', group = ''] = /cannot (\w+) resource "([^"]*)" in API group "([^"]*)"/.exec(error.message) ?? [];
  return verb === '' ? error.message : `${verb} ${resource}${group === '' ? '' : `.${group}`}`;
}
