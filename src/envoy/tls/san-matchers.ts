import type { SubjectAltNameMatcherJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import { isIp } from '../../mesh/addresses.ts';

/** Which kind of alternative name a text is meant as. Istio looks for it among all kinds; Envoy has given that up. */
function kindOf(name: string): 'URI' | 'IP_ADDRESS' | 'EMAIL' | 'DNS' {
  if (name.includes('://')) return 'URI';
  if (isIp(name)) return 'IP_ADDRESS';
  return name.includes('@') ? 'EMAIL' : 'DNS';
}

/** Matchers of which a certificate's alternative names must meet one. */
export function exactNames(names: readonly string[]): SubjectAltNameMatcherJson[] {
  return names.map((name) => ({ sanType: kindOf(name), matcher: { exact: name } }));
}

/** Every identity of these trust domains. */
export function identitiesOf(trustDomains: readonly string[]): SubjectAltNameMatcherJson[] {
  return trustDomains.map((domain) => ({ sanType: 'URI', matcher: { prefix: `spiffe://${domain}/` } }));
}
