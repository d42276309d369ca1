/** What must be so before an installation: the checks of `install --pre`, which every installation begins with. */

import { kinds } from '../../config/kinds/registry.ts';
import type { Check } from '../../doctor/types.ts';
import type { ApiClient } from '../../kubernetes/client.ts';
import { isStrict, POD_SECURITY } from '../inject/choose-agent.ts';
import { type Manifest, refOf } from '../objects/object.ts';
import type { Settings } from '../settings/resolve.ts';
import { collectionOf, isOurs, type LiveObject, readObject, unlessMissing } from './cluster-api.ts';
import { listInventories } from './inventory.ts';

export interface InstallProbes {
  client: ApiClient;
  settings: Settings;
  manifests: readonly Manifest[];
  version: string;
}

/** `sleep` before the end of a pod: https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/ */
const OLDEST = 30;

export const installChecks: readonly Check<InstallProbes>[] = [
  {
    id: 'cluster/version',
    what: 'Kubernetes’ version',
    why: 'pods are described with fields that older API servers do not know',
    severity: 'error',
    next: `Upgrade the cluster to 1.${OLDEST} or newer.`,
    async run({ client }) {
      const { major = '', minor = '', gitVersion = '' } = (await client.request('/version')) as Record<string, string>;
      const known = Number(major) > 1 || (Number(major) === 1 && Number.parseInt(minor, 10) >= OLDEST);
      return { state: known ? 'ok' : 'failed', message: `${gitVersion}${known ? '' : ` is older than 1.${OLDEST}`}` };
    },
  },
  {
    id: 'cluster/permissions',
    what: 'permissions',
    why: 'an installation that may not make everything would stop half-way',
    severity: 'error',
    next: 'Install as somebody who may, such as a cluster administrator.',
    async run({ client, manifests }) {
      const asked = new Map<string, { group: string; resource: string; namespace: string | undefined }>();
      for (const manifest of manifests) {
        const ref = refOf(manifest);
        const resource = collectionOf(ref).split('/').at(-1) as string;
        const group = ref.apiVersion.includes('/') ? (ref.apiVersion.split('/')[0] as string) : '';
        asked.set(`${group}/${resource}`, { group, resource, namespace: ref.namespace });
      }
      const questions = [...asked.values()].flatMap((what) => ['get', 'create', 'patch', 'delete'].map((verb) => ({ ...what, verb })));
      const denied: string[] = [];
      await Promise.all(
        questions.map(async (attributes) => {
          const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes: attributes } };
          const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
          const { status } = (await client.request(path, { method: 'POST', body })) as { status?: { allowed?: boolean } };
          const { verb, resource, group } = attributes;
          if (!status?.allowed) denied.push(`${verb} ${resource}${group === '' ? '' : `.${group}`}`);
        }),
      );
      if (denied.length === 0) return { state: 'ok', message: `all ${questions.length} that are needed` };
      return { state: 'failed', message: `${denied.length} of ${questions.length} are missing`, details: denied.sort() };
    },
  },
  {
    id: 'cluster/storage',
    what: 'a volume for the CA',
    why: 'the CA’s pod waits for its volume, and the gateways wait for the CA',
    severity: 'warning',
    next: 'Name a StorageClass with --set ca.storage.className=NAME, or make one the default.',
    async run({ client, settings, manifests }) {
      if (!manifests.some(({ kind }) => kind === 'PersistentVolumeClaim')) return { state: 'nothing', message: 'the CA has none' };
      const { items = [] } = (await client.request('/apis/storage.k8s.io/v1/storageclasses')) as { items?: LiveObject[] };
      const named = settings.ca.storage?.className;
      if (named !== undefined) {
        const there = named === '' || items.some(({ metadata }) => metadata.name === named);
        return { state: there ? 'ok' : 'failed', message: `StorageClass ${JSON.stringify(named)}${there ? '' : ' is not there'}` };
      }
      const usual = items.find(({ metadata }) => metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true');
      return usual === undefined
        ? { state: 'failed', message: 'the cluster has no default StorageClass' }
        : { state: 'ok', message: `StorageClass ${usual.metadata.name}` };
    },
  },
  {
    id: 'cluster/pod-security',
    what: 'Pod Security of the namespace',
    why: 'the agent of a node has a folder of its node, which the standards baseline and restricted forbid',
    severity: 'error',
    next: 'Give both agents of their nodes, or neither: the installation without a revision sets what its namespace allows.',
    async run({ client, settings, manifests }) {
      const { namespace, agent } = settings;
      const base = manifests.some(({ kind }) => kind === 'Namespace');
      if (base && agent.enabled) return { state: 'ok', message: 'the installation sets it to privileged' };
      if (agent.enabled) {
        const live = await readObject(client, { apiVersion: 'v1', kind: 'Namespace', name: namespace });
        const level = live?.metadata.labels?.[POD_SECURITY] ?? 'privileged';
        if (!isStrict(live?.metadata.labels ?? {})) return { state: 'ok', message: level };
        return { state: 'failed', message: `${namespace} enforces ${level}, so that no agent of a node could begin there` };
      }
      const others = base ? (await listInventories(client, namespace)).filter(({ revision, removed }) => revision !== '' && !removed) : [];
      const [other] = others.filter(({ objects }) => objects.some(({ kind }) => kind === 'DaemonSet'));
      if (other === undefined) return { state: base ? 'ok' : 'nothing', message: base ? 'restricted' : 'no agents of nodes are installed' };
      return { state: 'failed', message: `it would be restricted, and the agents of nodes of revision ${other.revision} are in it` };
    },
  },
  {
    id: 'mesh/istio',
    what: 'Istio',
    why: 'two meshes may both act on the same VirtualServices and Gateways',
    severity: 'warning',
    next: 'Both can run side by side; give Fairlead’s gateways labels that no Gateway of Istio’s selects.',
    async run({ client }) {
      const labelSelector = encodeURIComponent('app=istiod');
      const { items = [] } = (await client.request(`/apis/apps/v1/deployments?labelSelector=${labelSelector}`)) as { items?: LiveObject[] };
      if (items.length === 0) return { state: 'ok', message: 'not in this cluster' };
      const details = items.map(
        ({ metadata }) => `${metadata.namespace}/${metadata.name}, revision ${metadata.labels?.['istio.io/rev'] ?? 'default'}`,
      );
      return { state: 'failed', message: 'it is installed in this cluster', details };
    },
  },
  {
    id: 'mesh/definitions',
    what: 'definitions of Istio’s kinds',
    why: 'a definition that does not serve a version that is known here cannot be read',
    severity: 'error',
    next: 'Upgrade Istio’s definitions.',
    async run({ client, manifests }) {
      const wanted = manifests.filter(({ kind }) => kind === 'CustomResourceDefinition');
      const live = await Promise.all(wanted.map((manifest) => readObject(client, refOf(manifest))));
      const others = live.filter((found) => found !== undefined).filter((found) => !isOurs(found));
      const unknown = others.filter(({ spec }) => {
        const { group, names, versions } = spec as {
          group: string;
          names: { kind: string };
          versions: { name: string; served: boolean }[];
        };
        const kind = kinds.find((known) => known.group === group && known.kind === names.kind);
        return !versions.some(({ name, served }) => served && kind?.versions.includes(name));
      });
      if (unknown.length > 0)
        return {
          state: 'failed',
          message: 'some are served in unknown versions only',
          details: unknown.map(({ metadata }) => metadata.name),
        };
      return others.length === 0
        ? { state: 'ok', message: 'none of others are there' }
        : { state: 'ok', message: `${others.length} are there already; they are left alone and used` };
    },
  },
  {
    id: 'mesh/installations',
    what: 'other installations of Fairlead',
    why: 'two installations have a CA each, so their workloads do not trust each other',
    severity: 'warning',
    next: 'Upgrade the one that is there, or make a revision beside it with --revision NAME.',
    async run({ client, settings }) {
      const all = await listInventories(client);
      const others = all.filter(({ namespace }) => namespace !== settings.namespace);
      if (others.length === 0) return { state: 'ok', message: 'none' };
      return {
        state: 'failed',
        message: 'there are some',
        details: others.map(({ namespace, version }) => `${namespace}, version ${version}`),
      };
    },
  },
  {
    id: 'gateways/pods',
    what: 'Gateways for the gateways',
    why: 'a gateway that no Gateway selects serves nothing',
    severity: 'warning',
    next: 'Apply a Gateway whose `selector` has the labels of the gateway’s pods.',
    after: ['mesh/definitions'],
    async run({ client, settings }) {
      if (settings.gateways.length === 0) return { state: 'nothing', message: 'no gateways are installed' };
      const answer = (await unlessMissing(client.request('/apis/networking.istio.io/v1/gateways'))) as
        | { items?: { spec?: { selector?: Record<string, string> } }[] }
        | undefined;
      const selectors = (answer?.items ?? []).map(({ spec }) => Object.entries(spec?.selector ?? {}));
      const idle = settings.gateways.filter(
        ({ labels }) => !selectors.some((selector) => selector.every(([name, value]) => labels[name] === value)),
      );
      if (idle.length === 0) return { state: 'ok', message: 'each is selected by one' };
      return { state: 'nothing', message: `none selects ${idle.map(({ name }) => name).join(', ')} yet` };
    },
  },
];
