import type { DestinationRule, Subset } from '../config/kinds/networking.ts';
import type { FieldPath, Resource } from '../config/resource.ts';
import { type ExportTo, equalExportTo, isExportedTo, normaliseExportTo } from './export-to.ts';
import { completeHost, coveringPatterns } from './host-match.ts';
import { equalLabels, isSubset, type Labels } from './labels.ts';
import { getOrMake } from './memo.ts';
import { type ModelMemo, made, reported, sameItems } from './model-memo.ts';
import { problemAt, type Report } from './problem.ts';
import type { DestinationRuleView, ResolvedMeshConfig, Service } from './types.ts';

/** Who asks for a rule. */
export interface Client {
  namespace: string;
  /** Labels of the proxy; undefined where rules with a workloadSelector do not count (inbound). */
  labels: Labels | undefined;
}

export interface DestinationRules {
  /** The rule that `client` uses for a service: of its own namespace, else of the service's, else of the root namespace. */
  find(service: Pick<Service, 'host' | 'namespace'>, client: Client): DestinationRuleView | undefined;
  /** `find` for one client, which remembers what it found. Equal clients get the same one. */
  finder(client: Client): (service: Service) => DestinationRuleView | undefined;
  all: readonly DestinationRuleView[];
}

type Draft = DestinationRuleView & { subsetOrigins: { resource: Resource<DestinationRule>; path: FieldPath }[] };

function selectorOf(rule: DestinationRuleView): Labels | undefined {
  const selector = rule.spec.workloadSelector;
  return selector === undefined ? undefined : (selector.matchLabels ?? {});
}

function viewOf(resource: Resource<DestinationRule>, config: ResolvedMeshConfig, report: Report): Draft {
  const { spec, metadata } = resource;
  const draft: Draft = {
    resource,
    host: completeHost(spec.host, metadata.namespace, config.domain),
    spec,
    // A rule for some clients is for those of its own namespace.
    exportTo: spec.workloadSelector
      ? [metadata.namespace]
      : normaliseExportTo(spec.exportTo, metadata.namespace, config.defaultDestinationRuleExportTo),
    subsetOrigins: [],
  };
  return addSubsets({ ...draft, spec: { ...spec, ...(spec.subsets && { subsets: [] }) } }, resource, report);
}

/** `draft` with the subsets of `from` that it does not have yet; the others are reported. */
function addSubsets(draft: Draft, from: Resource<DestinationRule>, report: Report): Draft {
  if (from.spec.subsets === undefined) return draft;
  const subsets: Subset[] = [...(draft.spec.subsets ?? [])];
  const origins = [...draft.subsetOrigins];
  const names = new Map(subsets.map((s, i) => [s.name, origins[i]]));
  from.spec.subsets.forEach((subset, index) => {
    const path = ['spec', 'subsets', index];
    const first = names.get(subset.name);
    if (first !== undefined) {
      const { namespace, name } = first.resource.metadata;
      report(
        problemAt(from, path, {
          severity: 'warning',
          rule: 'destination-rule/duplicate-subset',
          message: `subset ${subset.name} of ${draft.host} is defined by DestinationRule ${namespace}/${name} already, which is used instead`,
        }),
      );
      return;
    }
    const origin = { resource: from, path };
    subsets.push(subset);
    origins.push(origin);
    names.set(subset.name, origin);
  });
  return { ...draft, spec: { ...draft.spec, subsets }, subsetOrigins: origins };
}

/** The oldest keeps its traffic policy; it takes one from a younger rule only when it has none. */
function merge(draft: Draft, from: Resource<DestinationRule>, report: Report): Draft {
  const { trafficPolicy } = from.spec;
  if (draft.spec.trafficPolicy !== undefined && trafficPolicy !== undefined) {
    const { namespace, name } = draft.resource.metadata;
    report(
      problemAt(from, ['spec', 'trafficPolicy'], {
        severity: 'warning',
        rule: 'destination-rule/policy-ignored',
        message: `DestinationRule ${namespace}/${name} sets the trafficPolicy of ${draft.host} already; this one is ignored`,
        hint: 'one DestinationRule for each host, or policies in subsets',
      }),
    );
  }
  const policy = draft.spec.trafficPolicy ?? trafficPolicy;
  return addSubsets({ ...draft, spec: { ...draft.spec, ...(policy && { trafficPolicy: policy }) } }, from, report);
}

/** Rules that are one, oldest first. */
interface Group {
  resources: Resource<DestinationRule>[];
  exportTo: ExportTo;
  selector: Labels | undefined;
}

function viewOfAll([first, ...rest]: readonly Resource<DestinationRule>[], config: ResolvedMeshConfig, report: Report): Draft {
  let draft = viewOf(first!, config, report);
  for (const resource of rest) draft = merge(draft, resource, report);
  return draft;
}

/** Merges and indexes `resources`, oldest first. */
export function buildDestinationRules(
  resources: readonly Resource<DestinationRule>[],
  memo: Pick<ModelMemo, 'config' | 'rules'>,
  report: Report,
): DestinationRules {
  const { config } = memo;
  const groups = new Map<string, Map<string, Group[]>>();
  for (const resource of resources) {
    const { namespace } = resource.metadata;
    const byHost = getOrMake(groups, namespace, () => new Map<string, Group[]>());
    const host = completeHost(resource.spec.host, namespace, config.domain);
    const rules = getOrMake(byHost, host, () => []);
    const exportTo = resource.spec.workloadSelector
      ? [namespace]
      : normaliseExportTo(resource.spec.exportTo, namespace, config.defaultDestinationRuleExportTo);
    const selector = resource.spec.workloadSelector ? (resource.spec.workloadSelector.matchLabels ?? {}) : undefined;
    const same = rules.find((rule) => equalExportTo(rule.exportTo, exportTo) && equalLabels(rule.selector, selector));
    if (same === undefined) rules.push({ resources: [resource], exportTo, selector });
    else same.resources.push(resource);
  }
  const byNamespace = new Map<string, Map<string, DestinationRuleView[]>>();
  for (const [namespace, byHost] of groups) {
    const views = new Map<string, DestinationRuleView[]>();
    for (const [host, rules] of byHost) views.set(host, rules.map(remembered));
    byNamespace.set(namespace, views);
  }

  function remembered({ resources }: Group): DestinationRuleView {
    let known = memo.rules.get(resources[0]!);
    if (known === undefined || !sameItems(known.resources, resources)) {
      known = { ...made((report) => viewOfAll(resources, config, report)), resources };
      memo.rules.set(resources[0]!, known);
    }
    return reported(known, report);
  }

  function inNamespace(namespace: string, host: string, client: Client): DestinationRuleView | undefined {
    const byHost = byNamespace.get(namespace);
    if (byHost === undefined) return undefined;
    for (const pattern of coveringPatterns(host)) {
      let plain: DestinationRuleView | undefined;
      for (const rule of byHost.get(pattern) ?? []) {
        if (namespace !== client.namespace && !isExportedTo(rule.exportTo, client.namespace)) continue;
        const selector = selectorOf(rule);
        if (selector === undefined) plain ??= rule;
        else if (client.labels !== undefined && namespace === client.namespace && isSubset(selector, client.labels)) return rule;
      }
      if (plain !== undefined) return plain;
    }
    return undefined;
  }

  const finders = new Map<string, (service: Service) => DestinationRuleView | undefined>();
  const rules: DestinationRules = {
    all: [...byNamespace.values()].flatMap((byHost) => [...byHost.values()].flat()),
    find(service, client) {
      // The root namespace's rules are for everybody, so they come last even for its own clients.
      if (client.namespace !== config.rootNamespace) {
        const own = inNamespace(client.namespace, service.host, client);
        if (own !== undefined) return own;
      }
      return inNamespace(service.namespace, service.host, client) ?? inNamespace(config.rootNamespace, service.host, client);
    },
    finder: (client) =>
      getOrMake(finders, JSON.stringify([client.namespace, client.labels]), () => {
        const known = new Map<Service, DestinationRuleView | undefined>();
        return (service) => {
          const found = known.get(service);
          if (found !== undefined || known.has(service)) return found;
          const made = rules.find(service, client);
          known.set(service, made);
          return made;
        };
      }),
  };
  return rules;
}
