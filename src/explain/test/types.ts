/** What tests ask for and what came of them. Results are plain data: docs/test.md describes their JSON. */
import type { HeaderMatcherJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { FieldPath, Position } from '../../config/resource.ts';
import type { ExplainConnection, ExplainRequest, Explanation, Origin, OutcomeType } from '../types.ts';

/** A condition on a text: exactly the string, or one of these. */
export type TextMatch =
  | string
  | { readonly exact?: string; readonly prefix?: string; readonly suffix?: string; readonly contains?: string; readonly regex?: string };

export interface Target {
  readonly host?: string;
  /** Empty: none. */
  readonly subset?: string;
  readonly port?: number;
}

export type HeaderMatches = Readonly<Record<string, TextMatch>>;

/** What has to come of a request; see `expectSchema` for the meaning of each. */
export interface Expectation {
  readonly destination?: string | Target;
  readonly split?: readonly (Target & { readonly weight: number })[];
  readonly cluster?: string;
  readonly route?: string;
  readonly virtualHost?: string;
  readonly outcome?: OutcomeType;
  readonly status?: number;
  readonly upstream?: {
    readonly method?: string;
    readonly host?: TextMatch;
    readonly path?: TextMatch;
    readonly headers?: HeaderMatches;
    readonly withoutHeaders?: readonly string[];
  };
  readonly response?: {
    readonly headers?: HeaderMatches;
    readonly withoutHeaders?: readonly string[];
    readonly body?: TextMatch;
    readonly grpcStatus?: number;
  };
  readonly redirect?: { readonly status?: number; readonly location?: TextMatch };
  readonly fault?:
    | 'none'
    | {
        readonly delay?: { readonly duration: string; readonly percent?: number };
        readonly abort?: { readonly status?: number; readonly grpcStatus?: number; readonly percent?: number };
      };
  readonly timeout?: string;
  readonly retries?:
    | 'none'
    | {
        readonly attempts?: number;
        readonly retryOn?: string | readonly string[];
        readonly statusCodes?: readonly number[];
        readonly perTryTimeout?: string;
      };
  readonly mirror?: 'none' | MirrorTarget | readonly MirrorTarget[];
  readonly cors?: 'allowed' | 'refused';
  readonly allowed?: boolean;
  readonly policy?: string;
  /** Of Envoy's own test files: what must not be there, and header conditions in Envoy's own form. */
  readonly envoyNone?: EnvoyNone;
  readonly envoyRequestHeaders?: readonly HeaderMatcherJson[];
  readonly envoyResponseHeaders?: readonly HeaderMatcherJson[];
}

/** Fields of Envoy's tests whose empty text expects that there is none. */
export interface EnvoyNone {
  readonly host_rewrite?: true;
  readonly path_rewrite?: true;
  readonly path_redirect?: true;
  readonly code_redirect?: true;
}

export type MirrorTarget = Target & { readonly percent?: number };

/** Whose proxy judges: at most one is given. None: a client without a workload, or the gateway that alone knows the host. */
export interface Sender {
  readonly from?: string;
  readonly to?: string;
  readonly gateway?: string;
}

/** A request or a connection of a test. */
export type Case =
  | { readonly kind: 'request'; readonly request: ExplainRequest; readonly host: string }
  | { readonly kind: 'connection'; readonly connection: ExplainConnection; readonly host: string };

/** A test as it was read. */
export interface RouteTest {
  readonly name: string;
  readonly sender: Sender;
  readonly cases: readonly Case[];
  readonly expect: Expectation;
  /** Where it stands. */
  readonly position: Position;
  /** Where the sender is named, for errors about it. */
  senderPosition(): Position;
  /** Where an expectation stands: `['destination', 'subset']`. */
  positionOf(field: FieldPath): Position;
}

/** An expectation that does not hold. */
export interface Failure {
  /** `destination`, `upstream.headers.x-user`. */
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
  /** Where the expectation stands. */
  readonly position: Position;
}

/** A decision on the way of a request that failed, or what nearly decided instead. */
export interface Reason {
  readonly kind: 'decided' | 'almost';
  readonly text: string;
  readonly origin?: Origin;
}

export interface CaseFailure {
  /** `GET http://catalog/`, headers and all. */
  readonly asked: string;
  /** The proxy that was asked. */
  readonly proxy: string;
  readonly failures: readonly Failure[];
  /** The rule that decided. */
  readonly rule?: Origin;
  readonly reasons: readonly Reason[];
}

export interface TestResult {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly passed: boolean;
  /** Requests and connections. */
  readonly requests: number;
  /** How many of them failed. */
  readonly failed: number;
  /** Those that failed, the first 100 of them. */
  readonly failures: readonly CaseFailure[];
}

export type CoverageKind = 'route' | 'destination' | 'policy';

/** Something that tests can cover. */
export interface CoverageUnit {
  readonly kind: CoverageKind;
  /** `VirtualService default/reviews http[0].match[1]`. */
  readonly resource: string;
  /** What people call it: the route's name and what it matches, or where it leads. */
  readonly description: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly tested: boolean;
}

export interface Coverage {
  /** 0 to 100, of all units; 100 when there is nothing to cover. */
  readonly percent: number;
  readonly routes: CoverageCount;
  readonly destinations: CoverageCount;
  readonly policies: CoverageCount;
  readonly untested: readonly CoverageUnit[];
}

export interface CoverageCount {
  readonly total: number;
  readonly tested: number;
}

/** All that a run says. */
export interface TestReport {
  /** Changes when a field is renamed or removed; fields may be added. */
  readonly version: 1;
  readonly passed: number;
  readonly failed: number;
  readonly requests: number;
  readonly tests: readonly TestResult[];
  readonly coverage?: Coverage;
  /** What nobody evaluated on the way of some request, each once. */
  readonly notes: readonly string[];
}

/** A case whose expectations hold, for coverage. */
export interface Passed {
  readonly explanation: Explanation;
  readonly expect: Expectation;
}
