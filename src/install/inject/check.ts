/** Which pods of a configuration get sidecars, and why. */
import type { MutatingWebhookConfiguration } from '../../config/kinds/kubernetes.ts';
import type { Resource } from '../../config/resource.ts';
import { isSubset, type Labels } from '../../mesh/labels.ts';
import { DEFAULT_REVISION } from '../objects/names.ts';
import { agentOf, isStrict, type Place, type SidecarAgent } from './choose-agent.ts';
import { decide } from './decide.ts';
import { type Injector, type InjectorMatch, matchInjector } from './match.ts';
import { REVISION, TAG } from './names.ts';
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
  /** Who reads the mesh for its sidecar, and why; undefined where there is none of Fairlead's. */
  agent?: SidecarAgent;
  agentWhy?: string;
  /** What each injector makes of its labels. */
  webhooks: readonly InjectorMatch[];
}

/** What installations are set to, by the name of the webhook configuration. */
export type Installed = ReadonlyMap<string, Pick<InjectSettings, 'namespaces' | 'agent' | 'engine' | 'capture'>>;

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
  // In the order in which the API server asks them.
  const injectors = found.flatMap(injectorOf).sort((a, b) => (a.name < b.name ? -1 : 1));
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
    const namespaceLabels = namespaces.get(metadata.namespace) ?? {};
    const webhooks = asked.map((one) => matchInjector(one, namespaceLabels, labels));
    return [
      {
        kind,
        namespace: metadata.namespace,
        name: metadata.name,
        ...verdict(pod, { namespace: metadata.namespace, strict: isStrict(namespaceLabels) }, webhooks, options.installed ?? new Map()),
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
  agent: 'node',
  agentFolder: '',
  namespaces: undefined,
  engine: 'auto',
  nativeSidecar: true,
  capture: 'none',
  resources: SIDECAR_RESOURCES,
  logFormat: 'text',
  logLevel: 'info',
};

type Verdict = Pick<CheckedPod, 'injected' | 'why' | 'agent' | 'agentWhy'>;

function verdict(pod: PodJson, place: Place, webhooks: readonly InjectorMatch[], installed: Installed): Verdict {
  const by = webhooks.filter(({ asked }) => asked);
  const [first] = by;
  const settings = first && installed.get(first.installation ?? first.webhook);
  const decision = decide(pod, place, { ...ANY, ...settings });
  if (!decision.inject && decision.present) {
    const agent = agentOf(pod);
    return { injected: true, why: decision.why, ...(agent === undefined ? {} : { agent, agentWhy: 'it was injected so' }) };
  }
  if (!decision.inject) return { injected: false, why: decision.why };
  if (first === undefined) return { injected: false, why: 'no injector is asked about it' };
  const all = by.map(({ webhook }) => webhook).join(' and ');
  const why = by.length === 1 ? first.reason : `${all} are both asked, in this order, and the first that answers gives it one`;
  // What other meshes inject is theirs.
  const ours = installed.size === 0 || settings !== undefined;
  return { injected: true, why, ...(ours ? { agent: decision.agent, agentWhy: decision.agentWhy } : {}) };
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
  const revision = metadata.labels[REVISION] ?? values[0] ?? 'default';
  const { [TAG]: tag, 'app.kubernetes.io/managed-by': maker } = metadata.labels;
  const ours = tag !== undefined && maker === 'fairlead';
  return [
    {
      name: metadata.name,
      revision,
      ...(tag === undefined ? {} : { tag }),
      ...(ours ? { installation: webhookNames(revision === DEFAULT_REVISION ? '' : revision).injector } : {}),
      webhooks: webhooks.map(({ name, namespaceSelector = {}, objectSelector = {} }) => ({ name, namespaceSelector, objectSelector })),
      unusable: first.clientConfig?.caBundle
        ? undefined
        : 'its configuration has no roots yet, so the API server cannot ask it: see the server’s log',
    },
  ];
}
