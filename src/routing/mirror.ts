import type { RouteAction_RequestMirrorPolicyJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import { compileRuntimeFraction, takes } from './fraction.ts';
import type { ProblemList } from './problems.ts';
import type { RouteRequest } from './request.ts';
import type { Fraction, RouteDecision } from './types.ts';

export interface CompiledMirror {
  readonly cluster: string;
  readonly clusterHeader: string | undefined;
  readonly fraction: Fraction | undefined;
  /** `-shadow` goes behind the host, before its port. */
  readonly appendShadowSuffix: boolean;
}

/** A copy of the request that is to be sent, answer ignored. */
export interface MirrorTarget {
  cluster: string;
  appendShadowSuffix: boolean;
}

const nothing: readonly MirrorTarget[] = [];

/** Compiles request_mirror_policies. */
export function compileMirrors(
  policies: readonly RouteAction_RequestMirrorPolicyJson[] | undefined,
  path: string,
  problems: ProblemList,
): readonly CompiledMirror[] {
  return (policies ?? []).map((policy, i) => {
    const field = `${path}.requestMirrorPolicies[${i}]`;
    const cluster = policy.cluster ?? '';
    const header = policy.clusterHeader ?? '';
    if ((cluster === '') === (header === '')) problems.invalid(field, 'needs exactly one of cluster and clusterHeader');
    return {
      cluster,
      clusterHeader: header === '' ? undefined : header.toLowerCase(),
      fraction:
        policy.runtimeFraction === undefined
          ? undefined
          : compileRuntimeFraction(policy.runtimeFraction, `${field}.runtimeFraction`, problems),
      appendShadowSuffix: policy.disableShadowHostSuffixAppend !== true,
    };
  });
}

/** Which mirrors this request gets; each policy draws its own random number in [0, 1). */
export function mirrorsOf(decision: RouteDecision, request: RouteRequest, random: () => number = Math.random): readonly MirrorTarget[] {
  const { mirrors } = decision.action;
  if (mirrors.length === 0) return nothing;
  const targets: MirrorTarget[] = [];
  for (const mirror of mirrors) {
    if (mirror.fraction !== undefined && !takes(mirror.fraction, random())) continue;
    const cluster = mirror.clusterHeader === undefined ? mirror.cluster : (request.firstHeader(mirror.clusterHeader) ?? '');
    if (cluster !== '') targets.push({ cluster, appendShadowSuffix: mirror.appendShadowSuffix });
  }
  return targets;
}

/** Envoy: `-shadow` behind the host name, before the port. */
export function shadowAuthority(authority: string): string {
  const colon = authority.lastIndexOf(':');
  if (colon < 0 || authority.indexOf(']', colon) >= 0) return `${authority}-shadow`;
  return `${authority.slice(0, colon)}-shadow${authority.slice(colon)}`;
}
