import type { AuthorizationPolicy } from '../../config/kinds/security.ts';
import type { Resource } from '../../config/resource.ts';
import { type ExtAuthzProvider, extAuthzProvider } from '../../mesh/security/ext-authz-providers.ts';
import type { Mesh, ProxyScope } from '../../mesh/types.ts';
import { callableCluster } from './callable-cluster.ts';
import type { ProviderTarget } from './ext-authz.ts';
import { statusCode } from './status-code.ts';

/** A provider that can be asked. */
export interface FoundProvider {
  provider: ExtAuthzProvider;
  target: ProviderTarget;
}

/** The cluster of a provider's service, which must be among the proxy's; a string says why it is not. */
function targetOf(mesh: Mesh, scope: ProxyScope, { name, settings }: ExtAuthzProvider): ProviderTarget | string {
  const { service = '', port = 0, statusOnError } = settings;
  if (service === '' || port === 0) return `provider ${name} needs a service and a port`;
  if (statusOnError && statusCode(statusOnError) === undefined) {
    return `provider ${name} has statusOnError ${JSON.stringify(statusOnError)}, which is no HTTP status`;
  }
  const slash = service.indexOf('/');
  const namespace = service.slice(0, Math.max(slash, 0));
  const host = service.slice(slash + 1).toLowerCase();
  const of = `provider ${name}: proxy ${scope.proxy.name}.${scope.proxy.namespace}`;
  const found = scope.serviceByHost(host);
  if (found === undefined || (namespace !== '' && found.namespace !== namespace)) return `${of} sees no service ${service}`;
  const declared = found.ports.find((p) => p.number === port);
  if (declared === undefined) return `provider ${name}: service ${host} has no port ${port}`;
  const cluster = callableCluster(mesh, scope, found, declared);
  return cluster === undefined ? `${of} cannot call port ${port} of ${host}, whose endpoints are not known` : { cluster, host };
}

/** Who is asked about requests that CUSTOM policies match; a string says why nobody can be. */
export function findProvider(mesh: Mesh, scope: ProxyScope, policies: readonly Resource<AuthorizationPolicy>[]): FoundProvider | string {
  const provider = extAuthzProvider(mesh.config, policies);
  if (typeof provider === 'string') return provider;
  const target = targetOf(mesh, scope, provider);
  return typeof target === 'string' ? target : { provider, target };
}
