/** What can go wrong with keys, requests and certificates; commands turn it into a FairleadError with the file's name. */
export type PkiErrorCode =
  | 'key-unreadable'
  | 'key-encrypted'
  | 'key-unsupported'
  | 'certificate-unreadable'
  | 'request-unreadable'
  | 'request-unsigned'
  | 'bundle-unreadable'
  | 'identity-invalid'
  | 'token-invalid';

/** `message` is one sentence without a full stop; it never holds key material. */
export class PkiError extends Error {
  readonly code: PkiErrorCode;
  override readonly name = 'PkiError';

  constructor(code: PkiErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
