/** The conditions of a rule, each as one kind of Envoy matcher. */
import type { PermissionJson, PrincipalJson } from '#envoy-api/envoy/config/rbac/v3/rbac_pb.js';
import type { Operation, Rule, Source } from '../../config/kinds/security.ts';
import { bracketed, claimValuesMatcher, metadataMatcher } from './claim-matchers.ts';
import { pathPermission } from './path-permission.ts';
import { clientNamespace, clientPrincipals, clientServiceAccount, clientTrustDomain, tokenPrincipal } from './principals.ts';
import { cidr, headerMatcher, stringMatcher } from './value-matchers.ts';

/** Where values get their meaning. */
export interface PolicyScope {
  /** Of the policy. */
  namespace: string;
  /** The mesh's own trust domain, then its aliases. */
  trustDomains: readonly string[];
}

/** One condition: one of `values` must hold, and none of `notValues`. */
export interface Condition<T> {
  values: readonly string[];
  notValues: readonly string[];
  /** Connections do not have it. */
  httpOnly: boolean;
  /** The matchers of which one must hold; undefined when a value cannot be expressed. */
  match(values: readonly string[]): readonly T[] | undefined;
  /** A single matcher stands without an `or` around it. */
  bare?: boolean;
}

type When = NonNullable<Rule['when']>[number];
type Match<T> = Condition<T>['match'];

const each =
  <T>(match: (value: string) => T): Match<T> =>
  (values) =>
    values.map(match);

function condition<T>(
  values: readonly string[] | undefined,
  notValues: readonly string[] | undefined,
  match: Match<T>,
  options: { httpOnly?: boolean; bare?: boolean } = {},
): Condition<T> {
  const { httpOnly = false, bare = false } = options;
  return { values: values ?? [], notValues: notValues ?? [], match, httpOnly, bare };
}

const http = { httpOnly: true };

/** What a request asks for, in Istio's order. */
export function operationConditions(o: Operation): Condition<PermissionJson>[] {
  const paths: Match<PermissionJson> = (values) => {
    const found = values.map(pathPermission);
    return found.every((p) => p !== undefined) ? found : undefined;
  };
  return [
    condition(
      o.hosts,
      o.notHosts,
      each((v) => ({ header: headerMatcher(':authority', v, true) })),
      http,
    ),
    condition(
      o.methods,
      o.notMethods,
      each((v) => ({ header: headerMatcher(':method', v) })),
      http,
    ),
    condition(o.paths, o.notPaths, paths, http),
    condition(o.ports, o.notPorts, each(destinationPort)),
  ];
}

/** Where a request comes from, in Istio's order. */
export function sourceConditions(s: Source, scope: PolicyScope): Condition<PrincipalJson>[] {
  return [
    condition(s.principals, s.notPrincipals, (values) => clientPrincipals(values, scope.trustDomains)),
    condition(s.requestPrincipals, s.notRequestPrincipals, each(tokenPrincipal), http),
    condition(s.namespaces, s.notNamespaces, each(clientNamespace)),
    condition(
      s.serviceAccounts,
      s.notServiceAccounts,
      each((v) => clientServiceAccount(v, scope.namespace)),
    ),
    condition(s.trustDomains, s.notTrustDomains, each(clientTrustDomain)),
    condition(s.remoteIpBlocks, s.notRemoteIpBlocks, each(remoteIp)),
    condition(s.ipBlocks, s.notIpBlocks, each(directRemoteIp)),
  ];
}

const destinationPort = (value: string): PermissionJson => ({ destinationPort: Number(value) });
const remoteIp = (value: string): PrincipalJson => ({ remoteIp: cidr(value) });
const directRemoteIp = (value: string): PrincipalJson => ({ directRemoteIp: cidr(value) });

const EXPERIMENTAL = 'experimental.envoy.filters.';

/** `when` on the destination, undefined for keys that are about something else. */
export function destinationCondition({ key, values, notValues }: When): Condition<PermissionJson> | undefined {
  const make = (match: Match<PermissionJson>, bare = false): Condition<PermissionJson> => condition(values, notValues, match, { bare });
  if (key === 'destination.ip') return make(each((v) => ({ destinationIp: cidr(v) })));
  if (key === 'destination.port') return make(each(destinationPort));
  if (key === 'connection.sni') return make(each((v) => ({ requestedServerName: stringMatcher(v) })));
  if (!key.startsWith(EXPERIMENTAL)) return undefined;
  const [, filter = '', name = ''] = /^experimental\.([^[\]]+)\[(.+)\]$/.exec(key) ?? [];
  return make(filter === '' ? () => undefined : each((v) => ({ metadata: metadataMatcher(filter, name, v) })), true);
}

const CLAIMS = 'request.auth.claims';
const HEADERS = 'request.headers';

/** `when` on the source, undefined for keys that are about something else. */
export function sourceCondition({ key, values, notValues }: When, scope: PolicyScope): Condition<PrincipalJson> | undefined {
  const make = (match: Match<PrincipalJson>, options?: { httpOnly?: boolean; bare?: boolean }): Condition<PrincipalJson> =>
    condition(values, notValues, match, options);
  const claim = (path: readonly string[] | undefined): Condition<PrincipalJson> =>
    make((list) => path && [{ metadata: claimValuesMatcher(path, list) }], { httpOnly: true, bare: true });
  switch (key) {
    case 'source.ip':
      return make(each(directRemoteIp));
    case 'remote.ip':
      return make(each(remoteIp));
    case 'source.namespace':
      return make(each(clientNamespace));
    case 'source.principal':
      return make((list) => clientPrincipals(list, scope.trustDomains));
    case 'source.serviceAccount':
      return make(each((v) => clientServiceAccount(v, scope.namespace)));
    case 'source.trustDomain':
      return make(each(clientTrustDomain));
    case 'request.auth.principal':
      return make(each(tokenPrincipal), http);
    case 'request.auth.audiences':
      return claim(['aud']);
    case 'request.auth.presenter':
      return claim(['azp']);
  }
  if (key.startsWith(CLAIMS)) return claim(bracketed(key.slice(CLAIMS.length)));
  if (!key.startsWith(HEADERS)) return undefined;
  const name = bracketed(key.slice(HEADERS.length));
  return make(name?.length === 1 ? each((v) => ({ header: headerMatcher(name[0]!, v) })) : () => undefined, http);
}
