import type { RouteAction_RequestMirrorPolicyJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { FractionalPercentJson } from '#envoy-api/envoy/type/v3/percent_pb.js';
import type { Destination } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import type { HttpRule } from '../../mesh/types.ts';
import type { RouteContext } from './context.ts';
import { resolveDestination } from './destination.ts';
import { hundredths, millionths } from './percent.ts';

function policy(
  context: RouteContext,
  destination: Destination,
  from: Resource,
  share: FractionalPercentJson,
): RouteAction_RequestMirrorPolicyJson[] {
  if (share.numerator === 0) return [];
  return [
    {
      cluster: resolveDestination(context, destination, from, context.listenPort).cluster,
      runtimeFraction: { defaultValue: share },
      traceSampled: false,
      disableShadowHostSuffixAppend: true,
    },
  ];
}

/** The request mirrors of a rule: `mirror` first, then `mirrors`. A share of 0 is no mirror. */
export function mirrorPolicies(context: RouteContext, rule: HttpRule, from: Resource): RouteAction_RequestMirrorPolicyJson[] {
  const out: RouteAction_RequestMirrorPolicyJson[] = [];
  if (rule.mirror) {
    const share = rule.mirrorPercentage ? millionths(rule.mirrorPercentage.value ?? 0) : hundredths(rule.mirrorPercent ?? 100);
    out.push(...policy(context, rule.mirror, from, share));
  }
  for (const { destination, percentage } of rule.mirrors ?? []) {
    out.push(...policy(context, destination, from, percentage ? millionths(percentage.value ?? 0) : hundredths(100)));
  }
  return out;
}
