import type { RouteMatchJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { HTTPMatchRequest, VirtualService } from '../../config/kinds/networking.ts';
import type { FieldPath, Resource } from '../../config/resource.ts';
import { isClaimKey, routeMatch } from '../../envoy/routes/match.ts';
import { resolveMeshConfig } from '../../mesh/mesh-config.ts';
import { createModelMemo } from '../../mesh/model-memo.ts';
import { compareResources } from '../../mesh/order.ts';
import type { VirtualServiceView } from '../../mesh/types.ts';
import { buildVirtualServices } from '../../mesh/virtual-services.ts';
import { canonicalText } from '../../routing/canonical-text.ts';
import type { AnalysisModel } from './analysis-model.ts';

/** One Envoy route of a virtual host, with where it was written and for whom it is made at all. */
export interface ComputedRoute {
  readonly view: VirtualServiceView;
  readonly resource: Resource;
  /** The match, or the rule when it has none. */
  readonly at: FieldPath;
  readonly rule: FieldPath;
  readonly match: RouteMatchJson;
  /** Conditions that decide for which proxies and ports a route is made; claims are compared here too. */
  readonly guard: Guard;
}

interface Guard {
  readonly port: number | undefined;
  readonly sourceNamespace: string | undefined;
  readonly sourceLabels: Readonly<Record<string, string>>;
  readonly gateways: readonly string[] | undefined;
  readonly claims: string;
}

/** All VirtualServices as the mesh model makes them: delegates merged, oldest first. */
export function virtualServiceViews(model: AnalysisModel): readonly VirtualServiceView[] {
  return model.shared('virtual service views', () => {
    const memo = createModelMemo(resolveMeshConfig(model.meshConfig), []);
    const resources = [...model.of<VirtualService>('VirtualService')].sort(compareResources);
    return buildVirtualServices(resources, memo, () => {}).all;
  });
}

/** The Envoy routes that the generator makes of a VirtualService's HTTP rules, in their order: one for each match. */
export function computedRoutes(view: VirtualServiceView): ComputedRoute[] {
  return (view.spec.http ?? []).flatMap((rule, i): ComputedRoute[] => {
    const origin = view.httpOrigins[i] ?? { resource: view.resource, path: ['spec', 'http', i] };
    const { resource, path } = origin;
    const common = { view, resource, rule: path };
    if (!rule.match?.length) return [{ ...common, at: path, match: routeMatch(undefined), guard: guardOf({}) }];
    return rule.match.map((match, j) => {
      const place = origin.matches?.[j];
      const at = place?.resource === resource ? place.path : origin.matches === undefined ? [...path, 'match', j] : path;
      return { ...common, at, match: routeMatch(withoutClaims(match)), guard: guardOf(match) };
    });
  });
}

function withoutClaims(match: HTTPMatchRequest): HTTPMatchRequest {
  const drop = (map: HTTPMatchRequest['headers']): HTTPMatchRequest['headers'] =>
    map && Object.fromEntries(Object.entries(map).filter(([key]) => !isClaimKey(key)));
  const { headers, withoutHeaders, ...rest } = match;
  return { ...rest, ...(headers && { headers: drop(headers)! }), ...(withoutHeaders && { withoutHeaders: drop(withoutHeaders)! }) };
}

function guardOf(match: HTTPMatchRequest): Guard {
  const claims = [match.headers ?? {}, match.withoutHeaders ?? {}].map((map) => Object.entries(map).filter(([key]) => isClaimKey(key)));
  return {
    port: match.port || undefined,
    sourceNamespace: match.sourceNamespace || undefined,
    sourceLabels: match.sourceLabels ?? {},
    gateways: match.gateways?.length ? match.gateways : undefined,
    claims: claims.every((list) => list.length === 0) ? '' : canonicalText(claims),
  };
}

/** Whether `earlier` is made wherever `later` is. */
export function guardCovers({ guard: earlier }: ComputedRoute, { guard: later }: ComputedRoute): boolean {
  return (
    (earlier.port === undefined || earlier.port === later.port) &&
    (earlier.claims === '' || earlier.claims === later.claims) &&
    (earlier.gateways === undefined || (later.gateways?.every((name) => earlier.gateways!.includes(name)) ?? false)) &&
    // Beside `gateways` the conditions on clients are ignored.
    (later.gateways !== undefined && earlier.gateways === undefined
      ? !hasSource(earlier)
      : (earlier.sourceNamespace === undefined || earlier.sourceNamespace === later.sourceNamespace) &&
        Object.entries(earlier.sourceLabels).every(([key, value]) => later.sourceLabels[key] === value))
  );
}

const hasSource = ({ sourceNamespace, sourceLabels }: Guard): boolean =>
  sourceNamespace !== undefined || Object.keys(sourceLabels).length > 0;
