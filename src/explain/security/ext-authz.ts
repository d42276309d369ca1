import type { ExtAuthzJson } from '#envoy-api/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js';
import { EXT_AUTHZ_PREFIX } from '../../envoy/security/ext-authz.ts';
import { compileMetadataTest } from '../../routing/metadata-matcher.ts';
import { ProblemList } from '../../routing/problems.ts';
import { clusterText } from '../cluster-text.ts';
import type { GuardState, GuardVerdict } from './guard.ts';
import { policyOf, policyText } from './policy-of.ts';

/** Evaluates a filter that asks somebody outside, as far as that can be done without asking. */
export function evaluateExtAuthz(json: ExtAuthzJson, { metadata, extAuthz, locator }: GuardState): GuardVerdict {
  const wanted = json.filterEnabledMetadata;
  if (wanted !== undefined && !compileMetadataTest(wanted, '', new ProblemList()).test(metadata))
    return { kind: 'lets-pass', why: 'is not asked: no CUSTOM rule matches' };
  const cluster = json.grpcService?.envoyGrpc?.clusterName ?? json.httpService?.serverUri?.cluster;
  const whom = cluster === undefined ? 'a service outside' : clusterText(cluster);
  const found =
    wanted && (metadata[wanted.filter ?? ''] as Record<string, unknown> | undefined)?.[`${EXT_AUTHZ_PREFIX}shadow_effective_policy_id`];
  const policy = typeof found === 'string' ? policyOf(found, 'CUSTOM', locator) : undefined;
  const because = policy === undefined ? '' : ` because of AuthorizationPolicy ${policyText(policy)}`;
  const policies = policy === undefined ? {} : { policies: [policy] };
  if (extAuthz === 'deny')
    return {
      kind: 'denies',
      why: `asks ${whom}${because}, which is said to deny it`,
      status: 403,
      body: '',
      details: 'ext_authz_denied',
      flags: 'UAEX',
      headers: [],
      ...policies,
    };
  if (extAuthz === 'allow') return { kind: 'lets-pass', why: `asks ${whom}${because}, which is said to allow it`, ...policies };
  return {
    kind: 'assumed',
    why: `asks ${whom}${because}; its answer is taken to be yes`,
    depends: `${whom} decides whether it may pass`,
    ...policies,
  };
}
