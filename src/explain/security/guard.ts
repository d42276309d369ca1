import type { AuthorizationConnection, AuthorizationInput } from '../../authorization/types.ts';
import type { RouteRequest } from '../../routing/request.ts';
import type { Trace } from '../trace.ts';
import type { DecidingPolicy, Origin } from '../types.ts';
import type { Locator } from '../view.ts';
import type { RuleMiss } from './rule-misses.ts';

/** What is known of a request or connection while filters that guard a workload look at it; they add to it. */
export interface GuardState {
  readonly connection: AuthorizationConnection;
  /** Undefined for connections. Tokens are taken out of it, claims put into it. */
  readonly request: RouteRequest | undefined;
  /** Dynamic metadata by filter. */
  readonly metadata: Record<string, unknown>;
  /** The payload of a token that is taken as genuine; undefined when there is none, or when it has been taken off. */
  claims: Readonly<Record<string, unknown>> | undefined;
  /** Routes are to be found anew. */
  rematch: boolean;
  /** What external authorization answers; undefined: nobody knows, so it is taken to allow. */
  readonly extAuthz: 'allow' | 'deny' | undefined;
  /** Seconds since 1970. */
  readonly now: number;
  readonly locator: Locator | undefined;
  /** Where the rule for an issuer's tokens was written. */
  tokenRule(issuer: string): Origin | undefined;
}

/** What one such filter does. */
export type GuardVerdict = (
  | { readonly kind: 'lets-pass'; readonly why: string }
  /** It says nothing of this request. */
  | { readonly kind: 'silent' }
  | {
      readonly kind: 'denies';
      readonly why: string;
      readonly status: number;
      readonly body: string;
      readonly details: string;
      readonly flags: string;
      /** Flat. */
      readonly headers: readonly string[];
    }
  /** What it does is known only when it is asked; it is taken to let the request pass. */
  | { readonly kind: 'assumed'; readonly why: string; readonly depends: string }
  | { readonly kind: 'unevaluated'; readonly why: string }
) & {
  /** Where it was written, when no AuthorizationPolicy did. */
  readonly origin?: Origin;
  readonly policies?: readonly DecidingPolicy[];
  readonly notes?: readonly string[];
  readonly misses?: readonly RuleMiss[];
};

/** The state at the first filter of a proxy. */
export function guardState(
  { asked, view }: Trace,
  connection: AuthorizationConnection,
  request: RouteRequest | undefined,
  metadata: Record<string, unknown>,
): GuardState {
  return {
    ...asked,
    connection,
    request,
    metadata,
    rematch: false,
    locator: view.locator,
    tokenRule: (issuer) => view.mesh?.own.tokenRule(issuer),
  };
}

export function inputOf({ connection, request, metadata }: GuardState): AuthorizationInput {
  return { connection, request, metadata, routeMetadata: {} };
}
