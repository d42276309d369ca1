/**
 * A case of the contract: one file, whose first document says what is sent and what must be seen, and whose other documents are the mesh.
 *
 * Names in the texts: `$port(NAME)` is the port of the backend NAME, or else a free port that NAME stands for; `$cluster(HOST[:PORT][/SUBSET])`
 * is how statistics call the outbound cluster of a service of `default`. `$port(NAME.in)` is the port on which the proxy of a backend with a
 * `sidecar` takes requests for it. Certificates and tokens have names of their own: credentials/credentials.ts.
 */
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parse } from 'yaml';
import { checkHeader } from './check-header.ts';
import type { CertificateSpec, TokenSpec } from './credentials/types.ts';

/** What a backend does with a request; requests that it fails first are counted by `failures`. */
export interface Reply {
  status?: number;
  headers?: Record<string, string | string[]>;
  body?: string;
  /** The body is so many times `body`. */
  repeat?: number;
  /** Milliseconds before it answers. */
  delay?: number;
  /** Ends the connection instead of answering: before anything is sent, or after the head. */
  reset?: 'before-headers' | 'after-headers' | 'in-chunks';
  /** Resets the HTTP/2 stream with REFUSED_STREAM. */
  refuseStream?: boolean;
  /** So many requests are treated like this, later ones get 200. */
  failures?: number;
  /** Answers when the case says so (`release`). */
  hold?: boolean;
  grpcStatus?: number;
  /** The gRPC status comes with the head and no message before it. */
  trailersOnly?: boolean;
  trailers?: Record<string, string>;
}

export interface BackendSpec {
  /** `NAME[.NAMESPACE]` of the Service it belongs to; Service and WorkloadEntry are added to the mesh. */
  service?: string;
  /** The Service's port; 80 without it. */
  port?: number | string;
  /** The Service's port name, which says the protocol; `http` without it. */
  protocol?: string;
  labels?: Record<string, string>;
  locality?: string;
  weight?: number;
  /** Its service account. The certificate of a proxy is for that. */
  identity?: string;
  /** Further names in the certificate of its proxy. */
  dnsNames?: readonly string[];
  /** Requests for it go through a proxy of its own, by a Sidecar's ingress listener. */
  sidecar?: boolean;
  /**
   * `http` speaks HTTP/1.1 and HTTP/2, `https` the same over TLS, `refuse` listens nowhere. `ext-authz` decides about requests, over HTTP and
   * gRPC: they may pass with `x-ext-authz: allow`.
   */
  kind?: 'http' | 'https' | 'tcp' | 'tls' | 'refuse' | 'ext-authz';
  /** Of `https` and `tls`. */
  tls?: BackendTls;
  reply?: Reply;
}

export interface BackendTls {
  /** One of the case's; one that it signed itself when nothing is said. */
  certificate?: string;
  /** Clients must show a certificate of this issuer. */
  clients?: string;
  /** What it chooses from; `h2` and `http/1.1` when nothing is said. */
  alpn?: readonly string[];
  minVersion?: TlsVersion;
  maxVersion?: TlsVersion;
}

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** TLS that the client itself speaks. */
export interface StepTls {
  /** One of the case's certificates; without it the client shows none. */
  certificate?: string;
  /** The issuer of what the server must show, for `expect.tls.trusted`. */
  trust?: string;
  alpn?: readonly string[];
  minVersion?: TlsVersion;
  maxVersion?: TlsVersion;
  /** In OpenSSL's names. */
  ciphers?: string;
}

/** What the client saw of the server's TLS. */
export interface TlsExpectation {
  version?: string;
  alpn?: TextMatch;
  cipher?: TextMatch;
  /** The subject's common name. */
  name?: TextMatch;
  /** Names of the certificate, as `URI:…, DNS:…`. */
  sans?: TextMatch;
  /** Whether its issuer is the one that the step trusts. */
  trusted?: boolean;
}

/** A text as it is; `~…` as a regular expression; null: absent; a list: the lines in order. */
export type TextMatch = string | number | boolean | null | readonly string[];
/** A number, `>=N`, `<=N` or `N..M`. */
export type CountMatch = number | string;

export interface Expectation {
  status?: number;
  /** The backend that answered. */
  from?: string | readonly string[];
  /** The proxy answered by itself and no backend heard of it. */
  local?: boolean;
  headers?: Record<string, TextMatch>;
  body?: TextMatch;
  /** Bytes of the body. */
  length?: CountMatch;
  trailers?: Record<string, TextMatch>;
  /** What the client's connection came to, in place of an answer. */
  broken?: boolean;
  /** The last request that reached a backend, or this one. */
  upstream?: {
    backend?: string;
    method?: string;
    path?: TextMatch;
    authority?: TextMatch;
    protocol?: string;
    headers?: Record<string, TextMatch>;
    body?: TextMatch;
    length?: CountMatch;
    /** The URI of the last client certificate that `x-forwarded-client-cert` tells of. */
    principal?: TextMatch;
    /** What a backend of TLS saw of its client: its name for the server, and the common name of its certificate. */
    sni?: TextMatch;
    client?: TextMatch;
  };
  tls?: TlsExpectation;
  /** Milliseconds. */
  took?: { atLeast?: number; atMost?: number };
  /** Fields of the access log's record. */
  record?: Record<string, TextMatch>;
  /** Fields of the last record of other listeners, by their ports. */
  records?: Record<string, Record<string, TextMatch>>;
  /** How many answers came with a status. */
  statuses?: Record<string, CountMatch>;
  /** How many answers came from a backend. */
  counts?: Record<string, CountMatch>;
  /** How many requests reached a backend, retries and mirrors included. */
  arrivals?: Record<string, CountMatch>;
  /** Percent of the answers by backend (or `local`), each within five standard deviations. */
  shares?: Record<string, number>;
  /** All answers of requests that are alike in this header came from the same backend. */
  sticky?: boolean;
  /** How many backends answered. */
  distinct?: CountMatch;
  grpcStatus?: number;
  grpcMessage?: TextMatch;
  /** Messages that came back: gRPC, WebSocket, TCP. */
  messages?: readonly string[];
  /** Changes of the proxy's statistics since the case began. */
  stats?: Record<string, CountMatch>;
}

export interface RequestStep {
  /** `http://AUTHORITY/PATH`, taken as it stands. */
  url?: string;
  method?: string;
  headers?: Record<string, string | number | readonly string[]>;
  body?: string;
  /** The body is so many times `body`. */
  repeat?: number;
  protocol?: 'http/1.1' | 'h2c' | 'h2' | 'grpc' | 'grpc-stream' | 'websocket' | 'tcp' | 'tcp-end' | 'tls' | 'raw';
  /** The workload whose sidecar is asked, `NAME.NAMESPACE`. */
  from?: string;
  /** A port that a gateway or a Sidecar listens on; requests go there in origin form. */
  to?: string | number;
  /** Which local address the client has. */
  source?: string;
  /** Bytes of a raw request, or what is sent over TCP, TLS and WebSocket. */
  send?: string | readonly string[];
  sni?: string;
  /** The client speaks TLS itself; `protocol` goes inside. */
  tls?: StepTls | true;
  times?: number;
  concurrent?: number;
  /** `{{n}}` in URL and headers counts the requests; this many different values. */
  vary?: number;
  /** Goes on in the background; the next step begins when a backend has it (`waiting`: at once). */
  background?: boolean | 'waiting';
  /** Sent again until it is as expected, for what takes effect a moment later. */
  eventually?: boolean;
  expect?: Expectation;
}

export interface OtherStep {
  /** Backends answer what they hold. */
  release?: string;
  /** A backend behaves differently from now on. */
  change?: { backend: string; reply: Reply };
  /** Goes on when statistics have moved so far since the case began. */
  wait?: { stats: Record<string, CountMatch>; from?: string };
  /** The answers of all background requests. */
  finish?: Expectation;
}

export type Step = RequestStep & OtherStep;

export interface ContractCase {
  file: string;
  area: string;
  name: string;
  title: string;
  /** Section of Istio's or Envoy's reference that says so. */
  reference: string;
  backends: Record<string, BackendSpec>;
  /** Whose proxies run besides those that `from` names. */
  proxies: readonly string[];
  meshConfig: Record<string, unknown>;
  certificates: Readonly<Record<string, CertificateSpec>>;
  /** Signing keys of tokens: their algorithms by their names. */
  keys: Readonly<Record<string, string>>;
  tokens: Readonly<Record<string, TokenSpec>>;
  /** Why the case does not run on an engine or through explain. */
  skip: { embedded?: string; explain?: string };
  steps: readonly Step[];
  /** The mesh's documents as they stand in the file. */
  mesh: string;
}

/** Reads a case. Throws for a header that says what nobody understands. */
export function readCase(file: string): ContractCase {
  const text = readFileSync(file, 'utf8');
  const at = text.search(/^---$/m);
  const header: unknown = parse(at < 0 ? text : text.slice(0, at));
  checkHeader(header, file);
  const { title, reference, backends = {}, proxies = [], meshConfig = {}, skip = {}, steps } = header;
  const { certificates = {}, keys = {}, tokens = {} } = header;
  const blank = at < 0 ? 0 : text.slice(0, at).split('\n').length - 1;
  // Line numbers in refusals are the file's.
  const mesh = at < 0 ? '' : '\n'.repeat(blank) + text.slice(at);
  const area = basename(dirname(file));
  const name = basename(file, '.yaml');
  return { file, area, name, title, reference, backends, proxies, meshConfig, certificates, keys, tokens, skip, steps, mesh };
}
