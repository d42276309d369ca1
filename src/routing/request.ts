import { JOINED_REQUEST_HEADERS } from './joined-headers.ts';

/** Where the downstream's certificate stands. */
export interface PeerCertificate {
  presented: boolean;
  validated: boolean;
}

export interface RouteRequestInit {
  method: string;
  /** `http` or `https`. */
  scheme: string;
  /** x-forwarded-proto as the connection manager left it; defaults to `scheme`. */
  forwardedProto?: string;
  /** As it came: case and port kept. */
  authority: string;
  /** Normalised path with query; empty for CONNECT without a path. */
  path: string;
  /** Flat, lower-case names, without pseudo headers and `host`; values are one character a byte. */
  headers: string[];
  /** Address without port of the trusted client, as %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%. */
  remoteAddress?: string;
  tls?: PeerCertificate;
  /** x-envoy-internal is true. */
  internal?: boolean;
  /** `:protocol` of an extended CONNECT. */
  protocol?: string;
  /** Dynamic metadata by filter name, set by filters before routing. */
  metadata?: Readonly<Record<string, unknown>>;
}

/** After so many look-ups an index pays for itself. */
const LOOKUPS_BEFORE_INDEX = 8;

const none: readonly string[] = [];

/** One request as predicates see it. Long-lived strings and one object a request; the header index is built only when needed. */
export class RouteRequest {
  method: string;
  scheme: string;
  forwardedProto: string;
  authority: string;
  path: string;
  headers: string[];
  remoteAddress: string;
  tls: PeerCertificate | undefined;
  internal: boolean;
  protocol: string | undefined;
  metadata: Readonly<Record<string, unknown>> | undefined;
  #pathOnly: string | undefined;
  #host: string | undefined;
  #lookups = 0;
  #index: Map<string, number | number[]> | undefined;

  constructor(init: RouteRequestInit) {
    this.method = init.method;
    this.scheme = init.scheme;
    this.forwardedProto = init.forwardedProto ?? init.scheme;
    this.authority = init.authority;
    this.path = init.path;
    this.headers = init.headers;
    this.remoteAddress = init.remoteAddress ?? '';
    this.tls = init.tls;
    this.internal = init.internal ?? false;
    this.protocol = init.protocol;
    this.metadata = init.metadata;
  }

  /** Must follow every change of `headers`, `path` or `authority`. */
  headersChanged(): void {
    this.#pathOnly = undefined;
    this.#host = undefined;
    this.#index = undefined;
    this.#lookups = 0;
  }

  /** The path without query and fragment. */
  get pathOnly(): string {
    this.#pathOnly ??= withoutQuery(this.path);
    return this.#pathOnly;
  }

  /** The authority in lower case, port kept. */
  get host(): string {
    this.#host ??= this.authority.toLowerCase();
    return this.#host;
  }

  /** A header's value, its lines joined with a comma; pseudo headers by their names; undefined when there is none. */
  header(name: string): string | undefined {
    if (name.charCodeAt(0) === 58 || name === 'host') return this.#pseudo(name);
    const at = this.#find(name);
    if (typeof at === 'number') return at < 0 ? undefined : this.headers[at];
    return at.map((i) => this.headers[i]).join(',');
  }

  /** The first line of a header. */
  firstHeader(name: string): string | undefined {
    if (name.charCodeAt(0) === 58 || name === 'host') return this.#pseudo(name);
    const at = this.#find(name);
    return this.headers[typeof at === 'number' ? at : at[0]!];
  }

  /** A header's lines as Envoy stores them: joined into one for those it keeps once. Empty when there is none. */
  headerValues(name: string): readonly string[] {
    if (name.charCodeAt(0) === 58 || name === 'host') {
      const value = this.#pseudo(name);
      return value === undefined ? none : [value];
    }
    const at = this.#find(name);
    if (typeof at === 'number') return at < 0 ? none : [this.headers[at]!];
    const lines = at.map((i) => this.headers[i]!);
    return JOINED_REQUEST_HEADERS.has(name) ? [lines.join(',')] : lines;
  }

  #pseudo(name: string): string | undefined {
    switch (name) {
      case ':method':
        return this.method;
      case ':path':
        return this.path === '' ? undefined : this.path;
      case ':authority':
      case 'host':
        return this.authority;
      case ':scheme':
        return this.scheme;
      case ':protocol':
        return this.protocol;
      default:
        return undefined;
    }
  }

  /** Where a header's value stands in `headers`; all places when it has several lines; -1 without it. */
  #find(name: string): number | number[] {
    if (this.#index !== undefined) return this.#index.get(name) ?? -1;
    const { headers } = this;
    if (++this.#lookups > LOOKUPS_BEFORE_INDEX) {
      const index = new Map<string, number | number[]>();
      for (let i = 0; i < headers.length; i += 2) {
        const before = index.get(headers[i]!);
        if (before === undefined) index.set(headers[i]!, i + 1);
        else if (typeof before === 'number') index.set(headers[i]!, [before, i + 1]);
        else before.push(i + 1);
      }
      this.#index = index;
      return index.get(name) ?? -1;
    }
    let found: number | number[] = -1;
    for (let i = 0; i < headers.length; i += 2) {
      if (headers[i] !== name) continue;
      if (typeof found !== 'number') found.push(i + 1);
      else if (found < 0) found = i + 1;
      else found = [found, i + 1];
    }
    return found;
  }
}

/** A path up to `?` or `#`. */
export function withoutQuery(path: string): string {
  const end = path.search(/[?#]/);
  return end < 0 ? path : path.slice(0, end);
}
