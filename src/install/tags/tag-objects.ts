/**
 * A revision tag: a name that namespaces follow (`istio.io/rev: prod`), and that leads to a revision. Moving it moves what comes next, and nobody need
 * label a namespace anew. https://istio.io/latest/docs/setup/upgrade/canary/#stable-revision-labels
 */
import { REVISION, TAG } from '../inject/names.ts';
import { mutatingWebhooks, webhookServer } from '../inject/webhooks.ts';
import { accountSubject, clusterAccess } from '../objects/access.ts';
import { DEFAULT_REVISION, labelsOf } from '../objects/names.ts';
import { type Manifest, type ObjectRef, refOf } from '../objects/object.ts';

export interface TagTarget {
  /** `default` takes `istio-injection=enabled` as well. */
  tag: string;
  /** Empty for the installation without one. */
  revision: string;
  /** Where that is installed. */
  namespace: string;
}

/** API servers ask configurations in the order of their names: the tag `default` comes before `fairlead-sidecar-injector`, which then finds a sidecar. */
export const tagName = (tag: string): string => `fairlead-revision-tag-${tag}`;

/** Who may keep roots in the configuration comes before the configuration itself. */
export function tagManifests(target: TagTarget, version: string): Manifest[] {
  const { tag, revision, namespace } = target;
  const server = webhookServer(target);
  const labels = { ...labelsOf('revision-tag', target, version), [TAG]: tag, [REVISION]: revision || DEFAULT_REVISION };
  const metadata = { name: tagName(tag), labels };
  const rule = {
    apiGroups: ['admissionregistration.k8s.io'],
    resources: ['mutatingwebhookconfigurations'],
    resourceNames: [tagName(tag)],
    verbs: ['get', 'patch'],
  };
  return [
    ...clusterAccess(metadata, [rule], [accountSubject(server, namespace)]),
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata,
      webhooks: mutatingWebhooks(tag, { service: { namespace, name: server } }),
    },
  ];
}

/** All objects of a tag, whatever it leads to; the last one goes first. */
export const tagRefs = (tag: string): ObjectRef[] => tagManifests({ tag, revision: '', namespace: '' }, '').map(refOf);
