import type { ConnectionOptions } from 'node:tls';

/** What a client saw of a server's TLS. */
export interface SeenTls {
  version: string;
  alpn: string | undefined;
  cipher: string;
  name: string | undefined;
  sans: string;
  trusted: boolean;
}

/** What a client saw. */
export interface Answer {
  /** 0 when there was none. */
  status: number;
  headers: readonly (readonly [string, string])[];
  body: string;
  trailers: readonly (readonly [string, string])[];
  /** Messages of gRPC, WebSocket, TCP and TLS. */
  messages: readonly string[];
  /** Milliseconds. */
  took: number;
  /** Why there was no whole answer. */
  error: string | undefined;
  /** Of a client that speaks TLS and got through its handshake. */
  tls?: SeenTls | undefined;
}

/** What is to be sent, placeholders filled in. */
export interface Sent {
  /** Host and port to connect to. */
  port: number;
  source: string | undefined;
  method: string;
  authority: string;
  /** With query, as it goes on the wire; absolute for an HTTP proxy. */
  target: string;
  path: string;
  headers: readonly (readonly [string, string])[];
  body: string | undefined;
  send: readonly string[];
  sni: string | undefined;
  tls: ConnectionOptions | undefined;
}

/** One kind of client for a step: its connections are kept from request to request. */
export interface Client {
  send(request: Sent): Promise<Answer>;
  close(): void;
}

/** Why an answer is not whole when the time for it is over. */
export const NO_END = 'no answer in time';

/** No answer may take longer. */
export const CLIENT_DEADLINE_MS = 20_000;

export const failed = (error: string, started: number): Answer => ({
  status: 0,
  headers: [],
  body: '',
  trailers: [],
  messages: [],
  took: performance.now() - started,
  error,
});
