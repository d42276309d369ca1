/** Which pods of a configuration get sidecars, and why. */
import type { MutatingWebhookConfiguration } from '../../config/kinds/kubernetes.ts';
import type { Resource } from '../../config/resource.ts';
import { isSubset, type Labels } from '../../mesh/labels.ts';
import { decide } from './decide.ts';
import { type Injector, type InjectorMatch, matchInjector } from './match.ts';
import { REVISION } from './names.ts';
import { labelsOfPod, type PodJson, templatePath } from './pod.ts';
import { type InjectSettings, SIDECAR_RESOURCES } from './settings.ts';
import { injectionRules, webhookNames } from './webhooks.ts';

export interface CheckedPod {
  kind: string;
  namespace: string;
  name: string;
  /** Whether it gets a sidecar, or has one. */
  injected: boolean;
  /** In a sentence. */
  why: string;
  /** What each injector makes of its labels. */
  webhooks: readonly InjectorMatch[];
}

/** Which namespaces may have sidecars, by the name of the webhook configuration. */
export type Installed = ReadonlyMap<string, { namespaces: readonly string[] }>;

export interface CheckOptions {
  /** Of the installation that is meant when there are no webhook configurations. */
  revision: string;
  /** Only these. */
  namespace?: string | undefined;
  labels: Labels;
  installed?: Installed | undefined;
  kind?: string;
  name?: string;
  in?: string;
}

export function checkInjection(resources: readonly Resource[], options: CheckOptions): CheckedPod[] {
  const namespaces = new Map(resources.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => [metadata.name, metadata.labels]));
  const found = resources.filter(({ kind }) => kind === 'MutatingWebhookConfiguration') as Resource<MutatingWebhookConfiguration>[];
  const injectors = found.flatMap(injectorOf);
  const { injector } = webhookNames(options.revision);
  const asked: Injector[] =
    injectors.length > 0
      ? injectors
      : [{ name: injector, revision: options.revision || 'default', webhooks: injectionRules(options.revision) }];
  return resources.flatMap((resource) => {
    const path = templatePath(resource.apiVersion, resource.kind);
    const { kind, metadata } = resource;
    if (path === undefined || (options.kind !== undefined && kind !== options.kind)) return [];
    if (options.name !== undefined && (metadata.name !== options.name || metadata.namespace !== options.in)) return [];
    if (options.namespace !== undefined && metadata.namespace !== options.namespace) return [];
    const pod = podOf(resource, path);
    const labels = labelsOfPod(pod);
    if (!isSubset(options.labels, labels)) return [];
    const webhooks = asked.map((one) => matchInjector(one, namespaces.get(metadata.namespace) ?? {}, labels));
    return [
      {
        kind,
        namespace: metadata.namespace,
        name: metadata.name,
        ...verdict(pod, metadata.namespace, webhooks, options.installed ?? new Map()),
        webhooks,
      },
    ];
  });
}

/** Only what is decided by the pod itself counts here, not what it would be given. */
const ANY: InjectSettings = {
  revision: '',
  image: '',
  imagePullPolicy: undefined,
  imagePullSecrets: [],
  namespace: '',
  ca: { address: '', roots: '', audience: '' },
  namespaces: undefined,
  engine: 'auto',
  nativeSidecar: true,
  capture: 'none',
  resources: SIDECAR_RESOURCES,
  logFormat: 'text',
  logLevel: 'info',
};

type Verdict = Pick<CheckedPod, 'injected' | 'why'>;

function verdict(pod: PodJson, namespace: string, webhooks: readonly InjectorMatch[], installed: Installed): Verdict {
  const own = decide(pod, namespace, ANY);
  if (!own.inject) return { injected: own.present === true, why: own.why };
  const by = webhooks.filter(({ asked }) => asked);
  const [first] = by;
  if (first === undefined) return { injected: false, why: 'no injector is asked about it' };
  const decision = decide(pod, namespace, { ...ANY, namespaces: installed.get(first.webhook)?.namespaces });
  if (!decision.inject) return { injected: false, why: decision.why };
  const all = by.map(({ webhook }) => webhook).join(' and ');
  return { injected: true, why: by.length === 1 ? first.reason : `${all} are both asked, and the first that answers gives it one` };
}

function podOf({ metadata, spec }: Resource, path: readonly string[]): PodJson {
  if (path.length === 0) return { metadata: { ...metadata }, spec: spec as PodJson['spec'] & object };
  return path.slice(1).reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], spec) as PodJson;
}

function injectorOf({ metadata, spec }: Resource<MutatingWebhookConfiguration>): Injector[] {
  const webhooks = (spec.webhooks ?? []).filter(({ name, rules = [] }) => {
    const pods = rules.some(({ resources = [] }) => resources.includes('pods') || resources.includes('*'));
    return pods && name.includes('sidecar-injector');
  });
  const [first] = webhooks;
  if (first === undefined) return [];
  const values = webhooks.flatMap(({ namespaceSelector, objectSelector }) =>
    [namespaceSelector, objectSelector].flatMap((s) =>
      (s?.matchExpressions ?? []).flatMap(({ key, values = [] }) => (key === REVISION ? values : [])),
    ),
  );
  return [
    {
      name: metadata.name,
      revision: metadata.labels[REVISION] ?? values[0] ?? 'default',
      webhooks: webhooks.map(({ name, namespaceSelector = {}, objectSelector = {} }) => ({ name, namespaceSelector, objectSelector })),
      unusable: first.clientConfig?.caBundle
        ? undefined
        : 'its configuration has no roots yet, so the API server cannot ask it: see the server’s log',
    },
  ];
}
