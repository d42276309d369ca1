import type { ConnectionInfo } from './connection.ts';

/**
 * A listener filter that looks at a connection's first bytes. `more`: not enough of them yet. A number is how many bytes it takes
 * away (the PROXY protocol's header). `reject` closes the connection.
 */
export interface Inspector {
  readonly name: string;
  /** Bytes after which it gives up without a finding. */
  readonly limit: number;
  /** filter_disabled, by the destination port. */
  disabled(port: number): boolean;
  inspect(bytes: Buffer, info: ConnectionInfo): 'more' | 'reject' | number;
}
