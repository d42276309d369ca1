/** The revision tags that a cluster has, and who follows them. */
import type { ApiClient } from '../../kubernetes/client.ts';
import { listObjects } from '../../kubernetes/list.ts';
import { INJECTION, REVISION, TAG } from '../inject/names.ts';
import type { LiveObject } from '../live/cluster-api.ts';
import { DEFAULT_REVISION } from '../objects/names.ts';
import type { TagTarget } from './tag-objects.ts';

export interface LiveTag extends TagTarget {
  /** Of Fairlead, that made it. */
  version: string | undefined;
  /** Why the API server cannot ask its revision; undefined when nothing is known to be in the way. */
  problem: string | undefined;
}

type Configuration = LiveObject & {
  webhooks?: { clientConfig?: { caBundle?: string; service?: { namespace: string } } }[];
};

const CONFIGURATIONS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';

/** Fairlead's own, by name. Throws E_CLUSTER_*. */
export async function listTags(client: ApiClient): Promise<LiveTag[]> {
  const found: LiveTag[] = [];
  await collect(client, CONFIGURATIONS, `${TAG},app.kubernetes.io/managed-by=fairlead`, (object) => {
    const { metadata, webhooks = [] } = object as Configuration;
    const { [TAG]: tag = '', [REVISION]: revision = '', 'app.kubernetes.io/version': version } = metadata.labels ?? {};
    const ready = webhooks.length > 0 && webhooks.every(({ clientConfig }) => clientConfig?.caBundle);
    found.push({
      tag,
      revision: revision === DEFAULT_REVISION ? '' : revision,
      namespace: webhooks[0]?.clientConfig?.service?.namespace ?? '',
      version,
      problem: ready ? undefined : 'it has no roots yet: the server of its revision fills them in',
    });
  });
  return found.sort((a, b) => (a.tag < b.tag ? -1 : 1));
}

/** Injectors that are not Fairlead's and answer for a tag, or for a revision of its name. */
export async function foreignInjectors(client: ApiClient, tag: string): Promise<string[]> {
  const found: string[] = [];
  await collect(client, CONFIGURATIONS, undefined, ({ metadata }) => {
    const { labels = {} } = metadata;
    if (labels['app.kubernetes.io/managed-by'] === 'fairlead') return;
    // A configuration of a tag has its revision's label too, which says nothing of who follows it.
    if ((labels[TAG] ?? labels[REVISION]) === tag) found.push(metadata.name);
  });
  return found;
}

/** Namespaces that follow a tag, or a revision, sorted. */
export async function followersOf(client: ApiClient, name: string): Promise<string[]> {
  const found: string[] = [];
  await collect(client, '/api/v1/namespaces', undefined, ({ metadata }) => {
    if (follows(metadata.labels ?? {}, name)) found.push(metadata.name);
  });
  return found.sort();
}

/** `istio-injection` goes before `istio.io/rev`, as in the webhooks' selectors. */
function follows(labels: Readonly<Record<string, string>>, name: string): boolean {
  const { [INJECTION]: injection, [REVISION]: revision } = labels;
  return injection === undefined ? revision === name : injection === 'enabled' && name === DEFAULT_REVISION;
}

async function collect(
  client: ApiClient,
  path: string,
  labelSelector: string | undefined,
  add: (object: LiveObject) => void,
): Promise<void> {
  let found: LiveObject[] = [];
  await listObjects(client, path, labelSelector === undefined ? {} : { labelSelector }, {
    begin: () => {
      found = [];
    },
    add: (object) => void found.push(object as unknown as LiveObject),
  });
  for (const object of found) add(object);
}
