import type { MutatingWebhook, MutatingWebhookConfiguration } from '../../config/kinds/kubernetes.ts';
import type { Resource } from '../../config/resource.ts';
import { type Labels, matchesSelector } from '../../mesh/labels.ts';
import type { Analyzer } from '../analyzer.ts';
import { INJECT, INJECTION, REVISION } from '../model/injection.ts';

type Configuration = Resource<MutatingWebhookConfiguration>;

/** Injectors that would both inject, and injectors whose Service is not there. */
export const webhooks: Analyzer = {
  name: 'webhooks',
  codes: ['IST0139'],
  run(model, report) {
    const hooks: { resource: Configuration; hook: MutatingWebhook; index: number; name: string }[] = [];
    const revisions = new Set<string>();
    for (const resource of model.of<MutatingWebhookConfiguration>('MutatingWebhookConfiguration')) {
      const own = revisionsOf(resource);
      const list = resource.spec.webhooks ?? [];
      if (own.size === 0 && !list.some((hook) => hook.name.endsWith('istio.io'))) continue;
      for (const revision of own) revisions.add(revision);
      for (const [index, hook] of list.entries()) hooks.push({ resource, hook, index, name: `${resource.metadata.name}/${hook.name}` });
    }
    const overlaps = new Map<(typeof hooks)[number], Set<(typeof hooks)[number]>>();
    for (const { namespace, object } of labelCombinations(revisions)) {
      const all = hooks.filter(
        ({ hook }) => matchesSelector(hook.namespaceSelector ?? {}, namespace) && matchesSelector(hook.objectSelector ?? {}, object),
      );
      const tagged = all.some(({ resource }) => isOwn(resource) && resource.metadata.labels[TAG] === 'default');
      const matching = tagged ? all.filter(({ resource }) => !yieldsToTag(resource)) : all;
      if (matching.length < 2) continue;
      for (const one of matching) {
        const others = overlaps.get(one) ?? new Set();
        for (const other of matching) if (other !== one) others.add(other);
        overlaps.set(one, others);
      }
    }
    for (const [{ resource, index, name }, others] of overlaps) {
      const names = [...others].map((other) => other.name).sort();
      const error = `${name} overlaps with ${names.join(', ')}: the same Pods would be injected twice`;
      const related = [...others].slice(0, 10).map((other) => ({
        resource: other.resource,
        at: ['webhooks', other.index],
        note: 'it overlaps with this one',
      }));
      report('IST0139', resource, ['webhooks', index], { error }, { related });
    }
    if (!model.given.services) return;
    for (const { resource, hook, index, name } of hooks) {
      const service = hook.clientConfig?.service;
      if (service === undefined || model.find('Service', service.namespace, service.name) !== undefined) continue;
      const error = `${name} asks Service ${service.namespace}/${service.name}, which is not there`;
      report('IST0139', resource, ['webhooks', index, 'clientConfig', 'service', 'name'], { error });
    }
  },
};

const TAG = 'istio.io/tag';

const isOwn = ({ metadata }: Configuration): boolean => metadata.labels['app.kubernetes.io/managed-by'] === 'fairlead';

/** Fairlead's installation without a revision: API servers ask it behind the tag `default`, and it changes nothing of a pod that has a sidecar. */
function yieldsToTag(resource: Configuration): boolean {
  const { labels } = resource.metadata;
  return isOwn(resource) && labels[TAG] === undefined && labels['app.kubernetes.io/instance'] === 'fairlead';
}

function revisionsOf({ metadata, spec }: Configuration): Set<string> {
  const found = new Set<string>();
  if (metadata.labels[REVISION]) found.add(metadata.labels[REVISION]);
  for (const hook of spec.webhooks ?? []) {
    for (const selector of [hook.namespaceSelector, hook.objectSelector]) {
      const label = selector?.matchLabels?.[REVISION];
      if (label) found.add(label);
      for (const { key, values = [] } of selector?.matchExpressions ?? [])
        if (key === REVISION) for (const value of values) found.add(value);
    }
  }
  return found;
}

/** Every way in which a namespace and a Pod can be labelled for injection, as far as the revisions go. */
function* labelCombinations(revisions: ReadonlySet<string>): Generator<{ namespace: Labels; object: Labels }> {
  const variants = function* (label: string, values: readonly string[]): Generator<Labels> {
    for (const base of [{}, ...values.map((value) => ({ [label]: value }))]) {
      yield base;
      for (const revision of revisions) yield { ...base, [REVISION]: revision };
    }
  };
  for (const namespace of variants(INJECTION, ['enabled', 'disabled'])) {
    for (const object of variants(INJECT, ['true', 'false'])) yield { namespace, object };
  }
}
