/** What of a mesh its tests cover: every route and match, where each leads, and every policy. */
import type { HTTPRoute, VirtualService } from '../../config/kinds/networking.ts';
import type { AuthorizationPolicy } from '../../config/kinds/security.ts';
import { type FieldPath, formatPath, originOf, type Resource } from '../../config/resource.ts';
import { configPath } from '../../envoy/metadata.ts';
import type { Mesh } from '../../mesh/types.ts';
import type { Destination, Explanation, Outcome } from '../types.ts';
import { POLICIES } from './judge-access.ts';
import { targetText } from './target.ts';
import type { Coverage, CoverageCount, CoverageKind, CoverageUnit, Expectation, Passed } from './types.ts';

/** Collects what passed tests covered. */
export interface CoverageCollector {
  add(passed: Passed): void;
  result(): Coverage;
}

interface Unit {
  readonly kind: CoverageKind;
  readonly resource: Resource;
  /** Below `spec`. */
  readonly path: FieldPath;
  readonly description: string;
  tested: boolean;
}

interface RouteDestination {
  readonly unit: Unit;
  readonly host: string;
  readonly subset: string;
  readonly port: number | undefined;
}

/**
 * A route is tested by a request that it decided and whose expectations held; a destination when the test also says where requests go
 * (destination, split, cluster); a policy when it decided.
 */
export function collectCoverage(mesh: Mesh): CoverageCollector {
  const routes = new Map<string, Unit>();
  const destinations = new Map<string, RouteDestination[]>();
  const policies = new Map<string, Unit>();
  for (const resource of mesh.resources) {
    if (resource.kind === 'VirtualService') addVirtualService(mesh, resource as Resource<VirtualService>, routes, destinations);
    else if (POLICIES.has(resource.kind)) addPolicy(resource, policies);
  }
  shareDelegates(mesh, destinations);
  const addRoute = (config: string, field: string): void => {
    const found = routes.get(`${config} ${field}`) ?? routes.get(`${config} ${ruleOf(field)}`);
    if (found !== undefined) found.tested = true;
  };
  return {
    add({ explanation, expect }) {
      const decided = decidedBy(explanation);
      for (const [config, field] of decided) addRoute(config, field);
      for (const key of policyKeys(explanation)) {
        const policy = policies.get(key);
        if (policy !== undefined) policy.tested = true;
      }
      if (!saysWhere(expect)) return;
      for (const outcome of explanation.outcomes) {
        if (outcome.destination === undefined) continue;
        const own = outcome.routeOrigin;
        const rules = own?.config === undefined || own.field === undefined ? decided : [[own.config, own.field] as const];
        for (const [config, field] of rules) {
          const fits = (destinations.get(`${config} ${ruleOf(field)}`) ?? []).find((d) => leadsTo(d, outcome.destination!));
          if (fits !== undefined) fits.unit.tested = true;
        }
      }
    },
    result() {
      const units = [...routes.values(), ...new Set([...destinations.values()].flat().map(({ unit }) => unit)), ...policies.values()];
      const count = (kind: CoverageKind): CoverageCount => {
        const own = units.filter((unit) => unit.kind === kind);
        return { total: own.length, tested: own.filter(({ tested }) => tested).length };
      };
      const tested = units.filter((unit) => unit.tested).length;
      return {
        percent: units.length === 0 ? 100 : (tested / units.length) * 100,
        routes: count('route'),
        destinations: count('destination'),
        policies: count('policy'),
        untested: units
          .filter((unit) => !unit.tested)
          .map(shown)
          .sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column)),
      };
    },
  };
}

/** One unit for each rule of an AuthorizationPolicy; other policies, and those without rules, are one. */
function addPolicy(resource: Resource, policies: Map<string, Unit>): void {
  const config = configPath(resource);
  const rules = resource.kind === 'AuthorizationPolicy' ? ((resource.spec as AuthorizationPolicy).rules ?? []) : [];
  const unit = (path: FieldPath): Unit => ({ kind: 'policy', resource, path, description: '', tested: false });
  if (rules.length === 0) policies.set(config, unit([]));
  for (const i of rules.keys()) policies.set(`${config} ${i}`, unit(['rules', i]));
}

/**
 * What decided, as `addPolicy` has it. A denial because no rule allows it is decided by all of the ALLOW policies, but by none of their
 * rules: only a policy without rules is tested by it. RequestAuthentications decide when the filter of tokens does.
 */
function policyKeys({ steps, outcomes }: Explanation): string[] {
  const deciding = [
    ...steps.flatMap((s) => (s.effect === 'unknown' ? [] : (s.policies ?? []))),
    ...outcomes.flatMap((o) => o.policies ?? []),
  ];
  const keys = deciding.flatMap(({ origin, rule }) =>
    origin?.config === undefined ? [] : [origin.config, `${origin.config} ${rule ?? ''}`],
  );
  const others = steps.flatMap(({ origin, effect }) => (origin?.config === undefined || effect === 'unknown' ? [] : [origin.config]));
  return [...keys, ...others];
}

function shown({ kind, resource, path, description, tested }: Unit): CoverageUnit {
  const { file, line, column } = resource.source.positionOf(path.length === 0 ? ['metadata', 'name'] : ['spec', ...path]);
  const name = path.length === 0 ? originOf(resource) : `${originOf(resource)} ${formatPath(path)}`;
  return { kind, resource: name, description, file, line, column, tested };
}

/** `http[1]` of `http[1].match[0]` and `http[1].route`. */
const ruleOf = (field: string): string => /^\w+\[\d+\]/.exec(field)?.[0] ?? field;

/** Rules of VirtualServices that decided: resource and field. */
function decidedBy({ steps, outcomes }: Explanation): (readonly [string, string])[] {
  const origins = [...steps.map((step) => step.origin), ...outcomes.map((o: Outcome) => o.routeOrigin)];
  return origins.flatMap((origin) =>
    origin?.kind === 'VirtualService' && origin.config !== undefined && origin.field !== undefined
      ? [[origin.config, origin.field] as const]
      : [],
  );
}

const saysWhere = ({ destination, split, cluster }: Expectation): boolean =>
  destination !== undefined || split !== undefined || (cluster !== undefined && cluster !== '');

function leadsTo({ host, subset, port }: RouteDestination, to: Destination): boolean {
  return to.service === host && (to.subset ?? '') === subset && (port === undefined || port === to.port);
}

function addVirtualService(
  mesh: Mesh,
  resource: Resource<VirtualService>,
  routes: Map<string, Unit>,
  destinations: Map<string, RouteDestination[]>,
): void {
  const { spec } = resource;
  const config = configPath(resource);
  const isDelegate = (spec.hosts ?? []).length === 0;
  for (const kind of ['http', 'tls', 'tcp'] as const) {
    for (const [i, rule] of (spec[kind] ?? []).entries()) {
      const at: FieldPath = [kind, i];
      const matches = rule.match ?? [];
      const name = 'name' in rule && rule.name ? rule.name : '';
      const unit = (path: FieldPath, description: string): void => {
        routes.set(`${config} ${formatPath(path)}`, { kind: 'route', resource, path, description, tested: false });
      };
      if (matches.length > 0)
        for (const [j, match] of matches.entries()) unit([...at, 'match', j], [name, matchText(match)].filter((t) => t !== '').join(': '));
      // A delegate's route without a match is its root's match, which is counted there.
      else if (!(isDelegate && rootsMatch(mesh, resource)) && !('delegate' in rule && rule.delegate))
        unit(at, name === '' ? 'takes what is left' : name);
      const own = (rule.route ?? []).flatMap(({ destination }, j): RouteDestination[] => {
        if (destination === undefined) return [];
        const host = mesh.completeHost(destination.host ?? '', resource.metadata.namespace);
        const description = targetText({ host: destination.host ?? '', ...(destination.subset && { subset: destination.subset }) });
        const path: FieldPath = [...at, 'route', j];
        return [
          {
            unit: { kind: 'destination', resource, path, description, tested: false },
            host,
            subset: destination.subset ?? '',
            port: destination.port?.number,
          },
        ];
      });
      destinations.set(`${config} ${formatPath(at)}`, own);
    }
  }
}

/** Routes of delegates without a match of their own are found by the match of their root. */
function shareDelegates(mesh: Mesh, destinations: Map<string, RouteDestination[]>): void {
  const all = mesh.ofKind<VirtualService>('VirtualService');
  for (const root of all) {
    for (const [i, { delegate }] of (root.spec.http ?? []).entries()) {
      if (!delegate) continue;
      const namespace = delegate.namespace || root.metadata.namespace;
      const own = all.find(({ metadata }) => metadata.name === delegate.name && metadata.namespace === namespace);
      const matchless = (own?.spec.http ?? []).flatMap(({ match = [] }, j) =>
        match.length > 0 ? [] : (destinations.get(`${configPath(own!)} http[${j}]`) ?? []),
      );
      destinations.set(`${configPath(root)} http[${i}]`, matchless);
    }
  }
}

function rootsMatch(mesh: Mesh, { metadata }: Resource): boolean {
  return mesh
    .ofKind<VirtualService>('VirtualService')
    .some((root) =>
      (root.spec.http ?? []).some(
        ({ delegate, match }: HTTPRoute) =>
          delegate?.name === metadata.name &&
          (delegate.namespace || root.metadata.namespace) === metadata.namespace &&
          (match ?? []).length > 0,
      ),
    );
}

/** A match in a few characters: `uri prefix /api, header end-user exact jason`. */
function matchText(match: object): string {
  return Object.entries(match)
    .flatMap(([field, value]): string[] => {
      if (field === 'name') return [];
      if (typeof value !== 'object' || value === null) return [`${field} ${String(value)}`];
      if (Array.isArray(value)) return [`${field} ${value.join(' ')}`];
      const isText = (v: unknown): boolean => typeof v !== 'object';
      if (Object.values(value).every(isText))
        return [
          `${field} ${Object.entries(value)
            .map(([how, what]) => `${how} ${String(what)}`)
            .join(' ')}`,
        ];
      return Object.entries(value as Record<string, object>).map(([name, condition]) =>
        `${name} ${Object.entries(condition ?? {})
          .map(([how, what]) => `${how} ${String(what)}`)
          .join(' ')}`.trimEnd(),
      );
    })
    .join(', ');
}
