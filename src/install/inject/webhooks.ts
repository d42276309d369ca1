/**
 * The admission webhooks of an installation, and which pods each of them is asked about. Selectors are Istio's:
 * https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/#controlling-the-injection-policy
 */
import type { LabelSelector } from '../../mesh/labels.ts';
import { DEFAULT_REVISION, revisioned, WEBHOOK_NAME } from '../objects/names.ts';
import { POD_SECURITY, STRICT_LEVELS } from './choose-agent.ts';
import { INJECT, INJECTION, REVISION, SYSTEM_NAMESPACES } from './names.ts';

export const INJECT_PATH = '/inject';
/** For namespaces whose Pod Security forbids folders of the node: the path is all that tells the server of it. */
export const STRICT_INJECT_PATH = '/inject/strict';
export const VALIDATE_PATH = '/validate';

/** How the API server reaches the server of webhooks. */
export type WebhookAddress = { service: { namespace: string; name: string; port?: number } } | { url: string };

export interface WebhookRules {
  name: string;
  namespaceSelector: LabelSelector;
  objectSelector: LabelSelector;
}

type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

const is = (key: string, ...values: string[]): Expression => ({ key, operator: 'In', values });
const isNot = (key: string, ...values: string[]): Expression => ({ key, operator: 'NotIn', values });
const absent = (key: string): Expression => ({ key, operator: 'DoesNotExist' });
/** The API server sets this label on every namespace. */
const NO_SYSTEM: Expression = isNot('kubernetes.io/metadata.name', ...SYSTEM_NAMESPACES);

const select = (name: string, namespace: Expression[], object: Expression[]): WebhookRules => ({
  name: `${name}.sidecar-injector.fairlead.dev`,
  namespaceSelector: { matchExpressions: [...namespace, NO_SYSTEM] },
  objectSelector: { matchExpressions: object },
});

/** No pod is chosen by two of them. The installation without a revision answers for `default` and for plain labels. */
export function injectionRules(revision: string): WebhookRules[] {
  const own = revision || DEFAULT_REVISION;
  const rules = [
    select('rev.namespace', [is(REVISION, own), absent(INJECTION)], [isNot(INJECT, 'false')]),
    select('rev.object', [absent(REVISION), absent(INJECTION)], [isNot(INJECT, 'false'), is(REVISION, own)]),
  ];
  if (own !== DEFAULT_REVISION) return rules;
  return [
    ...rules,
    select('namespace', [is(INJECTION, 'enabled')], [isNot(INJECT, 'false')]),
    select('object', [absent(INJECTION), absent(REVISION)], [is(INJECT, 'true'), absent(REVISION)]),
  ];
}

/** Seconds. Creating a pod waits no longer than this for an injector that hangs. */
const TIMEOUT_SECONDS = 10;

const ISTIO_GROUPS = ['networking.istio.io', 'security.istio.io', 'telemetry.istio.io', 'extensions.istio.io'];

/** What both kinds have in common. A webhook that cannot be asked never stops anybody: `Ignore`. */
const common = (address: WebhookAddress, path: string): Record<string, unknown> => ({
  // The bundle is filled in by the server, under a field manager of its own.
  clientConfig:
    'url' in address ? { url: address.url + path } : { service: { ...address.service, path, port: address.service.port ?? 443 } },
  failurePolicy: 'Ignore',
  matchPolicy: 'Equivalent',
  sideEffects: 'None',
  timeoutSeconds: TIMEOUT_SECONDS,
  admissionReviewVersions: ['v1'],
});

export interface WebhookNames {
  injector: string;
  validator: string;
}

export const webhookNames = (revision: string): WebhookNames => ({
  injector: revisioned({ revision }, 'fairlead-sidecar-injector'),
  validator: revisioned({ revision }, 'fairlead-validator'),
});

type Who = { namespace: string; revision: string };

/** The server of webhooks: its Deployment, its Service and its service account. */
export const webhookServer = (who: Who): string => revisioned(who, WEBHOOK_NAME);

/** The name by which API servers call the Service. */
export const webhookHost = (who: Who): string => `${webhookServer(who)}.${who.namespace}.svc`;

/** The `webhooks` of a MutatingWebhookConfiguration: each rule twice, for namespaces of either kind of Pod Security. */
export function mutatingWebhooks(revision: string, address: WebhookAddress): Record<string, unknown>[] {
  return injectionRules(revision).flatMap(({ name, namespaceSelector, objectSelector }) =>
    [false, true].map((strict) => ({
      name: strict ? `strict.${name}` : name,
      ...common(address, strict ? STRICT_INJECT_PATH : INJECT_PATH),
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'], scope: 'Namespaced' }],
      namespaceSelector: {
        matchExpressions: [
          ...(namespaceSelector.matchExpressions ?? []),
          strict ? is(POD_SECURITY, ...STRICT_LEVELS) : isNot(POD_SECURITY, ...STRICT_LEVELS),
        ],
      },
      objectSelector,
      reinvocationPolicy: 'Never',
    })),
  );
}

/** The `webhooks` of a ValidatingWebhookConfiguration. One with a revision looks only at objects that have its label. */
export function validatingWebhooks(revision: string, address: WebhookAddress): Record<string, unknown>[] {
  return [
    {
      name: 'validation.fairlead.dev',
      ...common(address, VALIDATE_PATH),
      rules: [{ apiGroups: ISTIO_GROUPS, apiVersions: ['*'], operations: ['CREATE', 'UPDATE'], resources: ['*'], scope: '*' }],
      namespaceSelector: {},
      objectSelector: revision === '' ? {} : { matchExpressions: [is(REVISION, revision)] },
    },
  ];
}
