/** What `authz check` and `authz can` tell. Plain data with stable names: it is their JSON as well. */
import type { DecidingPolicy, NearMiss, Origin } from '../explain/types.ts';

/** One row of the policies that a running proxy has. */
export interface LoadedPolicy {
  readonly action: 'DENY' | 'ALLOW' | 'LOG' | 'CUSTOM';
  /** `NAME.NAMESPACE`, or Envoy's name. */
  readonly policy: string;
  /** How many of its rules the proxy has. */
  readonly rules: number;
}

export interface RuleInWords {
  /** Both sides must hold. */
  readonly who: string;
  readonly what: string;
  readonly origin: Origin;
  /** Why the rule is not carried out. */
  readonly leftOut?: string;
}

export interface PolicyInWords {
  readonly action: string;
  readonly name: string;
  readonly namespace: string;
  readonly dryRun: boolean;
  /** CUSTOM: who is asked. */
  readonly provider?: string;
  readonly rules: readonly RuleInWords[];
  readonly origin: Origin;
}

export interface TokenRule {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly origin: Origin;
}

export interface GuardedPort {
  readonly port: number;
  readonly protocol: string;
  /** False: calls go straight to the workload, and no policy is enforced. */
  readonly guarded: boolean;
  readonly mtls: { readonly mode: string; readonly origin?: Origin };
}

/** The policies on one workload. */
export interface WorkloadPolicies {
  readonly version: 1;
  readonly workload: string;
  readonly proxy: 'sidecar' | 'gateway';
  readonly identity: string;
  readonly ports: readonly GuardedPort[];
  readonly policies: readonly PolicyInWords[];
  readonly tokens: readonly TokenRule[];
  /** What follows from all of it for a request that no rule names. */
  readonly otherwise: 'allowed' | 'denied';
}

/** May a client do this at a workload? */
export interface Permission {
  readonly version: 1;
  /** `depends`: somebody outside decides. */
  readonly answer: 'yes' | 'no' | 'depends';
  readonly workload: string;
  readonly port: number;
  /** The client's name in its certificate; empty for nobody. */
  readonly client: string;
  readonly connection: 'mutual TLS' | 'plain text';
  readonly request: string;
  readonly why: string;
  /** Who decided. */
  readonly policies: readonly DecidingPolicy[];
  readonly status?: number;
  readonly nearMisses: readonly NearMiss[];
  readonly notes: readonly string[];
}
