import type { FieldPath, Resource } from '../config/resource.ts';
import { configPath, fieldOf } from '../envoy/metadata.ts';
import { policyOfName } from '../envoy/security/policy-name.ts';
import type { Mesh } from '../mesh/types.ts';
import type { Origin } from './types.ts';
import type { Locator } from './view.ts';

/** Finds the lines of a mesh's resources, and addresses as a client in `namespace` would; nothing is looked up before it is asked for. */
export function createLocator(mesh: Mesh, namespace = 'default'): Locator {
  let byPath: Map<string, Resource> | undefined;
  return {
    resource(config, field) {
      byPath ??= new Map(mesh.resources.map((r) => [configPath(r), r]));
      const resource = byPath.get(config);
      return resource && originOf(resource, config, field);
    },
    service(host) {
      const service = mesh.services.find((s) => s.host === host);
      return service && originOf(service.resource, configPath(service.resource), undefined);
    },
    policy(name) {
      const found = policyOfName(mesh, name);
      return found && originOf(found.resource, configPath(found.resource), fieldOf(found.path) || undefined);
    },
    addresses(host) {
      const names = dnsNames(mesh, host, namespace);
      return mesh.services.filter((s) => names.includes(s.host)).flatMap((s) => s.addresses.filter((a) => !a.includes('/')));
    },
  };
}

/** What a client in a namespace can mean by a name: Kubernetes' search domains. */
function dnsNames(mesh: Mesh, host: string, namespace: string): string[] {
  const name = host.toLowerCase().replace(/\.$/, '');
  if (!name.includes('.')) return [mesh.completeHost(name, namespace)];
  const { domain } = mesh.config;
  return [name, `${name}.svc.${domain}`, `${name}.${domain}`];
}

/** Where a field of a resource was written; without one, its name. */
export function originOf(resource: Resource, config: string, field: string | undefined): Origin {
  const { kind, metadata, source } = resource;
  const at = source.positionOf(field === undefined ? ['metadata', 'name'] : ['spec', ...fieldPath(field)]);
  return {
    kind,
    name: metadata.name,
    namespace: metadata.namespace,
    config,
    ...(field !== undefined && { field }),
    file: at.file,
    line: at.line,
    column: at.column,
  };
}

/** `http[0].match[1]` as keys and indices. */
export function fieldPath(field: string): FieldPath {
  return field
    .split(/[.[\]]+/)
    .filter((part) => part !== '')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
