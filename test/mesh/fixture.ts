/** Meshes from YAML, read as people's files are. */
import type { MeshConfig } from '../../src/config/kinds/mesh-config.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import type { Resource } from '../../src/config/resource.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import { findProxy } from '../../src/mesh/proxies.ts';
import type { Mesh, ProxyNode, ProxyScope, Service } from '../../src/mesh/types.ts';

/** The resources of a text; throws when it does not parse, since tests of the model need sound files. */
export async function resourcesOf(text: string): Promise<Resource[]> {
  const { resources, problems } = await parseConfig(text, 'test.yaml');
  const errors = problems.filter((p) => p.severity === 'error');
  if (errors.length > 0) throw new Error(`the fixture is wrong: ${JSON.stringify(errors, null, 1)}`);
  return resources;
}

export async function meshOf(text: string, meshConfig?: MeshConfig): Promise<Mesh> {
  return buildMesh(await resourcesOf(text), meshConfig ? { meshConfig } : {});
}

/** One document a kind, without the ceremony: `kind name[.namespace]` and the body under it. */
export function doc(kind: string, name: string, body: string, metadata = ''): string {
  const [short = '', namespace = 'default'] = name.split('.');
  const group: Record<string, string> = {
    EndpointSlice: 'discovery.k8s.io/v1',
    Deployment: 'apps/v1',
    PeerAuthentication: 'security.istio.io/v1',
  };
  const core = ['Service', 'Endpoints', 'Pod', 'Node', 'Namespace'];
  const version = group[kind] ?? (core.includes(kind) ? 'v1' : 'networking.istio.io/v1');
  const indent = (text: string, by: string): string =>
    text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => by + line)
      .join('\n');
  const where = kind === 'Node' || kind === 'Namespace' ? '' : `\n  namespace: ${namespace}`;
  return `---\napiVersion: ${version}\nkind: ${kind}\nmetadata:\n  name: ${short}${where}\n${indent(metadata, '  ')}\n${body.trim() === '' ? '' : body}\n`;
}

/** A sidecar that no file mentions, in a namespace, with labels. */
export function sidecarIn(namespace: string, labels: Record<string, string> = {}): ProxyNode {
  return nodeIn('sidecar', namespace, labels);
}

/** A gateway that no file mentions. */
export function routerIn(namespace: string, labels: Record<string, string> = {}): ProxyNode {
  return nodeIn('router', namespace, labels);
}

function nodeIn(type: ProxyNode['type'], namespace: string, labels: Record<string, string>): ProxyNode {
  const locality = { region: '', zone: '', subzone: '' };
  const common = { name: 'probe', namespace, labels, locality, network: '', serviceAccount: 'default' };
  return {
    ...common,
    type,
    id: `${type}~10.9.9.9~probe.${namespace}~${namespace}.svc.cluster.local`,
    ips: ['10.9.9.9'],
    interception: 'REDIRECT',
    httpProxyPort: undefined,
    workload: {
      ...common,
      kind: 'Pod',
      annotations: {},
      addresses: ['10.9.9.9'],
      nodeName: '',
      workloadName: 'probe',
      ports: {},
      resource: undefined,
    },
  };
}

/** The scope of a sidecar in `namespace`. */
export function scopeIn(mesh: Mesh, namespace = 'default', labels: Record<string, string> = {}): ProxyScope {
  return mesh.scope(sidecarIn(namespace, labels));
}

export function serviceOf(mesh: Mesh, host: string): Service {
  const found = mesh.services.find((s) => s.host === host);
  if (found === undefined) throw new Error(`no service ${host} among ${mesh.services.map((s) => s.host).join(', ')}`);
  return found;
}

/** `address:port` of every endpoint of a service's port (the first port when none is said). */
export function addressesOf(mesh: Mesh, host: string, port?: number): string[] {
  const service = serviceOf(mesh, host);
  const found = port === undefined ? service.ports[0] : service.ports.find((p) => p.number === port);
  if (found === undefined) throw new Error(`no port ${port} of ${host}`);
  return mesh.endpoints(service, found).map((e) => `${e.address}:${e.port}`);
}

/** `rule path` of every problem, without those of the unknown destinations unless asked for. */
export function rulesOf(mesh: Mesh): string[] {
  return mesh.problems.map((p) => `${p.rule} ${p.origin} ${p.path}`);
}

/** A proxy that the mesh knows by its name. */
export function proxyNamed(mesh: Mesh, name: string): ProxyNode {
  const found = findProxy(mesh, name);
  if ('candidates' in found) throw new Error(`no proxy ${name}: ${found.candidates.join(', ')}`);
  return found;
}
