/** Where the keys of an issuer are fetched. */
import type { Mesh, ProxyScope } from '../../mesh/types.ts';
import { effectivePolicy, withMeshDefaults } from '../clusters/effective-policy.ts';
import { callableCluster } from './callable-cluster.ts';

/** The cluster that a URL's host is asked through. */
export interface JwksTarget {
  cluster: string;
  /** A cluster for this alone; undefined for one of the mesh's services. */
  own: { host: string; port: number; tls: boolean } | undefined;
}

/** The mesh's cluster for a host, when what it sends is what the URL asks for: plain HTTP, or TLS that a DestinationRule begins. */
function serviceCluster(mesh: Mesh, scope: ProxyScope, host: string, port: number, tls: boolean): string | undefined {
  const service = scope.serviceByHost(host);
  const declared = service?.ports.find((p) => p.number === port);
  if (service === undefined || declared === undefined) return undefined;
  const { tls: settings } = withMeshDefaults(effectivePolicy(scope.destinationRule(service), declared, ''), mesh.config);
  const begins = settings?.mode === 'SIMPLE' || settings?.mode === 'MUTUAL';
  if (begins !== tls) return undefined;
  return callableCluster(mesh, scope, service, declared);
}

/** How `jwksUri` is reached; undefined when it is no URL of http or https. */
export function jwksTarget(mesh: Mesh, scope: ProxyScope, jwksUri: string): JwksTarget | undefined {
  const url = URL.parse(jwksUri);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') return undefined;
  const tls = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port === '' ? (tls ? 443 : 80) : Number(url.port);
  const cluster = serviceCluster(mesh, scope, host, port, tls);
  if (cluster !== undefined) return { cluster, own: undefined };
  return { cluster: `jwks|${port}|${tls ? 'tls' : ''}|${host}`, own: { host, port, tls } };
}
