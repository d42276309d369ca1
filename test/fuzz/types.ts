/** What a differential run is made of. Everything is plain data, so that it can be printed and made smaller. */
import type { BackendSpec } from '../contract/case.ts';

export interface FuzzMesh {
  backends: Record<string, BackendSpec>;
  /** Configuration, with `$port(NAME)` as in the contract's cases. */
  documents: Json[];
}

export type Json = { [key: string]: unknown };

export interface FuzzRequest {
  protocol: 'http/1.1' | 'http/1.0' | 'h2c' | 'grpc';
  /** The client's sidecar, in absolute or origin form, or the gateway. */
  to: 'sidecar' | 'gateway';
  absolute: boolean;
  method: string;
  authority: string;
  path: string;
  headers: [name: string, value: string][];
  body: string | undefined;
  /** HTTP/1.1 only: the body in pieces instead of a length. */
  chunked: boolean;
}

/** One mesh and the requests that go through it, in order. */
export interface FuzzCase {
  mesh: FuzzMesh;
  requests: FuzzRequest[];
}
