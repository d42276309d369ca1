/** Why the CA's API says no; the transport makes a status of it. */
export type DeniedKind = 'unauthenticated' | 'forbidden' | 'invalid' | 'limited' | 'not-found' | 'method' | 'too-large' | 'unavailable';

export const HTTP_STATUS: Readonly<Record<DeniedKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  method: 405,
  'too-large': 413,
  limited: 429,
  unavailable: 503,
};

/** https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
export const GRPC_STATUS: Readonly<Record<DeniedKind, number>> = {
  invalid: 3,
  unauthenticated: 16,
  forbidden: 7,
  'not-found': 12,
  method: 12,
  'too-large': 8,
  limited: 8,
  unavailable: 14,
};

export class Denied extends Error {
  readonly kind: DeniedKind;

  constructor(kind: DeniedKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
