import { re2 } from '../../re2.ts';
import type { EnvoyConfigObjectPatch, EnvoyFilter } from '../kinds/networking.ts';
import type { FieldPath, Resource } from '../resource.ts';
import { quote } from '../validation/describe-value.ts';
import type { Report } from '../validation/report.ts';
import { checkSelector } from './common.ts';
import { newFilterName } from './filter-names.ts';

const WITH_LISTENER = new Set(['LISTENER', 'FILTER_CHAIN', 'NETWORK_FILTER', 'HTTP_FILTER']);
const WITH_ROUTES = new Set(['ROUTE_CONFIGURATION', 'VIRTUAL_HOST', 'HTTP_ROUTE']);
const MANAGERS = new Set(['envoy.filters.network.http_connection_manager', 'envoy.http_connection_manager']);
const MAX_VERSION = 1024;

/** Istio's validation of EnvoyFilters (IST0106), less what a value must be to be an object of Envoy's. */
export function checkEnvoyFilter(resource: Resource, report: Report): void {
  const { workloadSelector, configPatches = [] } = resource.spec as EnvoyFilter;
  if (workloadSelector) checkSelector(workloadSelector.labels, ['spec', 'workloadSelector', 'labels'], report);
  for (const [i, patch] of configPatches.entries()) {
    if (patch.match?.context !== 'WAYPOINT') checkPatch(patch, ['spec', 'configPatches', i], report);
  }
}

/** Why a patch cannot be applied at all: the field, and what is wrong with it. */
function incomplete({ applyTo = 'INVALID', patch }: EnvoyConfigObjectPatch): readonly [string, string] | undefined {
  if (applyTo === 'INVALID') return ['applyTo', 'a patch needs `applyTo`'];
  if (patch === undefined) return ['patch', '`patch` is missing: nothing is changed'];
  const { operation = 'INVALID', value } = patch;
  if (operation === 'INVALID') return ['patch', 'a patch needs `operation`'];
  return operation !== 'REMOVE' && value === undefined ? ['patch', `operation ${operation} needs a \`value\``] : undefined;
}

function checkPatch(whole: EnvoyConfigObjectPatch, path: FieldPath, report: Report): void {
  const { applyTo = 'INVALID', match } = whole;
  const lacking = incomplete(whole);
  if (lacking !== undefined) {
    report.error([...path, lacking[0]], 'semantic/patch', lacking[1], { atKey: true });
    return;
  }
  const version = match?.proxy?.proxyVersion;
  if (version !== undefined && !checkVersion(version, [...path, 'match', 'proxy', 'proxyVersion'], report)) return;
  if (match === undefined) return;
  const object = (['listener', 'routeConfiguration', 'cluster', 'waypoint'] as const).find((field) => match[field] !== undefined);
  if (object === undefined) return;
  const wanted = WITH_LISTENER.has(applyTo)
    ? 'listener'
    : WITH_ROUTES.has(applyTo)
      ? 'routeConfiguration'
      : applyTo === 'CLUSTER'
        ? 'cluster'
        : object;
  if (object !== wanted) {
    report.error([...path, 'match', object], 'semantic/patch', `${applyTo} is matched by \`${wanted}\`, not by \`${object}\``, {
      atKey: true,
    });
  } else if (wanted === 'listener' && WITH_LISTENER.has(applyTo)) {
    checkFilterMatch(match.listener?.filterChain?.filter, applyTo, [...path, 'match', 'listener', 'filterChain', 'filter'], report);
  }
}

/** False when nothing more is to be said of the patch. */
function checkVersion(version: string, path: FieldPath, report: Report): boolean {
  if (version.length > MAX_VERSION) {
    report.warning(path, 'semantic/patch', `the expression has more than ${MAX_VERSION} characters and is ignored`);
    return true;
  }
  try {
    re2().RE2JS.compile(version);
    return true;
  } catch {
    report.error(path, 'semantic/regex', `${quote(version)} is no RE2 expression`);
    return false;
  }
}

type FilterMatch = NonNullable<NonNullable<NonNullable<NonNullable<EnvoyConfigObjectPatch['match']>['listener']>['filterChain']>['filter']>;

function checkFilterMatch(filter: FilterMatch | undefined, applyTo: string, path: FieldPath, report: Report): void {
  if (filter === undefined) return;
  if (applyTo === 'LISTENER' || applyTo === 'FILTER_CHAIN') {
    report.warning(path, 'semantic/patch', `a match on a filter does nothing for ${applyTo}`, { atKey: true });
  }
  const { name = '', subFilter } = filter;
  const refuse = (at: FieldPath, message: string): void => report.error(at, 'semantic/patch', message, { atKey: true });
  if (name === '') {
    refuse(path, 'a match on a filter needs its `name`');
    return;
  }
  checkName(name, [...path, 'name'], report);
  if (subFilter === undefined) return;
  const at = [...path, 'subFilter'];
  if (applyTo !== 'HTTP_FILTER') refuse(at, `\`subFilter\` is for HTTP_FILTER, not ${applyTo}`);
  else if (!MANAGERS.has(name)) refuse(at, `${quote(name)} has no filters inside`);
  else if (!subFilter.name) refuse(at, '`subFilter` needs a `name`');
  else checkName(subFilter.name, [...at, 'name'], report);
}

function checkName(name: string, path: FieldPath, report: Report): void {
  const better = newFilterName(name);
  if (better === undefined) return;
  report.warning(path, 'semantic/deprecated', `${quote(name)} is an old name of a filter`, { hint: `Use \`${better}\`` });
}
