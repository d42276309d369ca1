import type { GRPCRoute } from '../../config/kinds/gateway-api.ts';
import type { Resource } from '../../config/resource.ts';
import type { HttpMatch, HttpRule } from '../types.ts';
import type { Fault } from './conditions.ts';
import { type FilterContext, filterSettings } from './http-filters.ts';
import { valueMatches } from './http-match.ts';
import { type RouteInputs, ruleName, targets } from './http-rules.ts';
import type { RuleEntry, TranslatedRules } from './rules.ts';

type Match = NonNullable<NonNullable<GRPCRoute['rules']>[number]['matches']>[number];

/** A name of a gRPC service or method, for an expression. */
const ANY = '[^/]+';

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** gRPC calls are POST to `/<service>/<method>`. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
function methodMatch({ type, service, method }: NonNullable<Match['method']>): HttpMatch {
  if (type === 'RegularExpression') return { uri: { regex: `/${service || ANY}/${method || ANY}` } };
  if (service && method) return { uri: { exact: `/${service}/${method}` } };
  if (service) return { uri: { prefix: `/${service}/` } };
  return method ? { uri: { regex: `/${ANY}/${escaped(method)}` } } : {};
}

function grpcMatch({ method, headers }: Match): HttpMatch {
  const byHeader = valueMatches(headers, (name) => name.toLowerCase());
  return { ...methodMatch(method ?? {}), ...(byHeader && { headers: byHeader }) };
}

/** The rules of a GRPCRoute, one entry for each match. https://gateway-api.sigs.k8s.io/reference/spec/#grpcroute */
export function grpcRules(route: Resource<GRPCRoute>, inputs: RouteInputs): TranslatedRules {
  const faults: Fault[] = [];
  const entries = (route.spec.rules ?? []).flatMap((rule, i): RuleEntry[] => {
    const path = ['spec', 'rules', i];
    const context: FilterContext = { ...inputs, route, prefix: '/', faults };
    const { settings, refused } = filterSettings(rule.filters, path, context);
    const action = refused ? { directResponse: { status: 500 } } : targets(rule.backendRefs, path, context);
    const made: HttpRule = { name: ruleName(route, rule, i), ...(refused ? {} : settings), ...action, notFound: 500 };
    const matches = rule.matches?.length ? rule.matches : [undefined];
    return matches.map((match, j) => ({
      route,
      path,
      matchPath: match === undefined ? path : [...path, 'matches', j],
      match: match && grpcMatch(match),
      rule: made,
      at: [i, j],
    }));
  });
  return { entries, faults };
}
