import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { choice, list, message, string, strings } from '../schema.ts';
import { PolicyTargetReference, policyTarget, targetOrSelector } from '../selector.ts';

const serviceAccount = { maxItems: 16, items: { maxLength: 320 } };

export const Source = message('Where a request comes from; all conditions must hold. Texts may begin or end with `*`.', {
  principals: strings('Identities of the client: `<trust domain>/ns/<namespace>/sa/<service account>`. Needs mutual TLS.'),
  notPrincipals: strings('Identities that the client must not have.'),
  requestPrincipals: strings('Issuer and subject of the JWT: `<issuer>/<subject>`. Needs a RequestAuthentication.'),
  notRequestPrincipals: strings('Issuers and subjects that the JWT must not have.'),
  namespaces: strings('Namespaces of the client. Needs mutual TLS.'),
  notNamespaces: strings('Namespaces that the client must not be in.'),
  serviceAccounts: strings(
    "Service accounts of the client: `<namespace>/<service account>`, or the name alone for the policy's own namespace. No `*`. Needs mutual TLS.",
    serviceAccount,
  ),
  notServiceAccounts: strings('Service accounts that the client must not have.', serviceAccount),
  ipBlocks: strings('IP addresses or CIDRs of the sender of the packets.'),
  notIpBlocks: strings('IP addresses or CIDRs that the sender of the packets must not have.'),
  remoteIpBlocks: strings('IP addresses or CIDRs of the original client, as x-forwarded-for or the PROXY protocol tells.'),
  notRemoteIpBlocks: strings('IP addresses or CIDRs that the original client must not have.'),
  trustDomains: strings('Trust domains of the client. Needs mutual TLS.'),
  notTrustDomains: strings('Trust domains that the client must not have.'),
});

export const Operation = message('What a request asks for; all conditions must hold. Texts may begin or end with `*`.', {
  hosts: strings('Values of the Host header, without regard to case. HTTP only.'),
  notHosts: strings('Values that the Host header must not have.'),
  ports: strings('Ports that the client connects to, as text.'),
  notPorts: strings('Ports that the client must not connect to.'),
  methods: strings('HTTP methods; for gRPC always `POST`. HTTP only.'),
  notMethods: strings('HTTP methods that the request must not have.'),
  paths: strings(
    'Paths, without the query; for gRPC `/<package>.<service>/<method>`. `{*}` stands for one segment, `{**}` for any. HTTP only.',
  ),
  notPaths: strings('Paths that the request must not have.'),
});

export const Condition = message(
  'A condition on an attribute of the request.',
  {
    key: string('The attribute, such as `request.headers[x-user]`, `source.ip` or `request.auth.claims[groups]`.'),
    values: strings('Values of which it must have one. Either these or `notValues` are needed.'),
    notValues: strings('Values that it must not have.'),
  },
  { required: ['key'] },
);

export const Rule = message('Requests that match one of `from`, one of `to` and all of `when`. What is left out matches anything.', {
  from: list(message('A source.', { source: Source }), 'Where requests come from.', { maxItems: 512 }),
  to: list(message('An operation.', { operation: Operation }), 'What requests ask for.'),
  when: list(Condition, 'Further conditions, all of which must hold.'),
});

export const AuthorizationPolicy = message(
  'Which requests some workloads accept.',
  {
    ...policyTarget,
    targetRef: PolicyTargetReference,
    rules: list(Rule, 'Requests that the policy is about: those that match any rule. Without rules: none.', { maxItems: 512 }),
    action: choice(
      ['ALLOW', 'DENY', 'AUDIT', 'CUSTOM'],
      'ALLOW, the default: only requests that match are accepted. DENY: requests that match are refused, before any ALLOW. AUDIT: requests that match are marked. CUSTOM: `provider` is asked about requests that match, before anything else.',
    ),
    provider: message('For CUSTOM: who decides.', { name: string("Name of one of the mesh's `extensionProviders`.") }),
  },
  targetOrSelector,
);

export type Source = Static<typeof Source>;
export type Operation = Static<typeof Operation>;
export type Rule = Static<typeof Rule>;
export type AuthorizationPolicy = Static<typeof AuthorizationPolicy>;

export const authorizationPolicy = defineKind({
  kind: 'AuthorizationPolicy',
  group: 'security.istio.io',
  versions: ['v1', 'v1beta1'],
  plural: 'authorizationpolicies',
  shortNames: ['ap'],
  scope: 'Namespaced',
  description: 'Says which requests workloads accept: by identity, address, path, method, header and claim.',
  payload: 'spec',
  schema: AuthorizationPolicy,
  unknownFields: 'refuse',
});
