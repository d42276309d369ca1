import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { as, choice, integer, list, message, string, stringMap, strings } from '../schema.ts';
import { LocalObjectReference, SecretObjectReference } from './references.ts';

const portRange = { minimum: 1, maximum: 65535 };

const NamespaceSelector = message('Labels of namespaces; all conditions must hold.', {
  matchLabels: stringMap('Labels that must be there.'),
  matchExpressions: list(
    message(
      'A condition on a label.',
      {
        key: string('Its key.'),
        operator: choice(['In', 'NotIn', 'Exists', 'DoesNotExist'], 'How it is compared.'),
        values: strings('Values for `In` and `NotIn`.'),
      },
      { required: ['key', 'operator'] },
    ),
    'Conditions on labels.',
  ),
});

const clientValidation = message('How certificates of clients are checked.', {
  caCertificateRefs: list(SecretObjectReference, 'ConfigMaps or Secrets with CA certificates (`ca.crt`).'),
  mode: choice(
    ['AllowValidOnly', 'AllowInsecureFallback'],
    'Whether clients without a valid certificate are refused. Default: AllowValidOnly.',
  ),
});

export const Listener = message(
  'A port of a gateway, and the host that is served on it.',
  {
    name: string('Its name, unique within the Gateway.'),
    hostname: string('The host; wildcards such as `*.example.com` are allowed. Default: all.'),
    port: integer('Number of the port.', portRange),
    protocol: string('`HTTP`, `HTTPS`, `TLS`, `TCP` or `UDP`.'),
    tls: message('TLS, for HTTPS and TLS.', {
      mode: choice(['Terminate', 'Passthrough'], 'Terminate, the default, or Passthrough: passed on by server name.'),
      certificateRefs: list(SecretObjectReference, 'Secrets with certificate and key.'),
      options: stringMap('Further settings, such as `gateway.istio.io/tls-terminate-mode`.'),
      frontendValidation: as(clientValidation, 'How certificates of clients are checked.', { deprecated: true }),
    }),
    allowedRoutes: message('Routes that may attach.', {
      namespaces: message('Their namespaces.', {
        from: choice(['All', 'Selector', 'Same'], 'All, those that `selector` matches, or the same one, the default.'),
        selector: NamespaceSelector,
      }),
      kinds: list(
        message('A kind.', { group: string('Its API group.'), kind: string('The kind.') }, { required: ['kind'] }),
        'Their kinds. Default: by protocol.',
      ),
    }),
  },
  { required: ['name', 'port', 'protocol'] },
);

export const KubernetesGateway = message(
  'Ports and hosts that a gateway serves.',
  {
    gatewayClassName: string('Its GatewayClass: `istio`, …'),
    listeners: list(Listener, 'The ports.', { maxItems: 64 }),
    addresses: list(
      message('An address.', { type: string('`IPAddress` (the default) or `Hostname`.'), value: string('The address.') }),
      'Addresses asked for.',
    ),
    infrastructure: message('What is made for it.', {
      labels: stringMap('Labels of what is made.'),
      annotations: stringMap('Annotations of what is made.'),
      parametersRef: as(LocalObjectReference, 'Further settings.'),
    }),
    allowedListeners: message('ListenerSets that may attach.', {
      namespaces: message('Their namespaces.', {
        from: choice(['All', 'Selector', 'Same', 'None'], 'All, those that `selector` matches, the same one, or none, the default.'),
        selector: NamespaceSelector,
      }),
    }),
    defaultScope: choice(['All', 'None'], 'Whether routes attach that name no Gateway. Default: None.'),
    tls: message('TLS of all listeners.', {
      backend: message('To services.', { clientCertificateRef: as(SecretObjectReference, 'Secret with the client certificate.') }),
      frontend: message('From clients.', {
        default: message('For all ports.', { validation: clientValidation }),
        perPort: list(
          message('For one port.', { port: integer('Its number.', portRange), tls: message('Its TLS.', { validation: clientValidation }) }),
          'For single ports.',
        ),
      }),
    }),
  },
  { required: ['gatewayClassName', 'listeners'] },
);

export type Listener = Static<typeof Listener>;
export type KubernetesGateway = Static<typeof KubernetesGateway>;

export const kubernetesGateway = defineKind({
  kind: 'Gateway',
  group: 'gateway.networking.k8s.io',
  versions: ['v1', 'v1beta1'],
  plural: 'gateways',
  shortNames: ['gtw'],
  scope: 'Namespaced',
  description: 'Opens ports at the edge of the mesh, as the Gateway API writes it.',
  payload: 'spec',
  schema: KubernetesGateway,
  unknownFields: 'refuse',
});
