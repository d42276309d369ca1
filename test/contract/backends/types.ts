import type { Reply } from '../case.ts';

/** What reached a backend. */
export interface Arrival {
  backend: string;
  protocol: string;
  method: string;
  /** As on the wire. */
  path: string;
  authority: string;
  /** Names in lower case, in the order in which they came. */
  headers: readonly (readonly [string, string])[];
  body: string;
  /** Over TLS: the server's name that the client asked for, and the common name of the client's certificate. */
  sni?: string | undefined;
  client?: string | undefined;
}

/** A real server of the test. */
export interface Backend {
  readonly name: string;
  readonly port: number;
  /** Replaced at will. */
  reply: Reply;
  readonly arrivals: Arrival[];
  /** Answers what `hold` keeps. */
  release(): void;
  close(): Promise<void>;
}
