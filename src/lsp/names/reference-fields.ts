/** Which fields name something that stands elsewhere in the configuration. */
import type { FieldPath } from '../../config/resource.ts';

/** What a field names. */
export type Role =
  /** A service: a short or full name. */
  | 'host'
  /** `namespace/host`, as a Sidecar's egress has it. */
  | 'scoped-host'
  /** A subset of the host beside it. */
  | 'subset'
  /** A port's number, of the host above it. */
  | 'port'
  /** `name` or `namespace/name`, or `mesh`. */
  | 'gateway'
  /** A VirtualService without hosts. */
  | 'delegate'
  | 'secret'
  | 'namespace'
  /** A namespace, `.` or `*`. */
  | 'scope'
  /** Gateway API: an object by name, with the namespace beside it. */
  | 'backend'
  | 'parent';

const DESTINATIONS = ['http[].route[].destination', 'http[].mirror', 'http[].mirrors[].destination', 'tls[].route[].destination'];

const virtualService: Record<string, Role> = {
  'spec.hosts[]': 'host',
  'spec.gateways[]': 'gateway',
  'spec.http[].match[].gateways[]': 'gateway',
  'spec.tls[].match[].gateways[]': 'gateway',
  'spec.tcp[].match[].gateways[]': 'gateway',
  'spec.http[].match[].sourceNamespace': 'namespace',
  'spec.http[].delegate.name': 'delegate',
  'spec.http[].delegate.namespace': 'namespace',
  'spec.exportTo[]': 'scope',
  ...Object.fromEntries(
    [...DESTINATIONS, 'tcp[].route[].destination'].flatMap((path): [string, Role][] => [
      [`spec.${path}.host`, 'host'],
      [`spec.${path}.subset`, 'subset'],
      [`spec.${path}.port.number`, 'port'],
    ]),
  ),
};

const routeOf = (): Record<string, Role> => ({
  'spec.parentRefs[].name': 'parent',
  'spec.parentRefs[].namespace': 'namespace',
  'spec.rules[].backendRefs[].name': 'backend',
  'spec.rules[].backendRefs[].namespace': 'namespace',
});

const BY_KIND: Readonly<Record<string, Record<string, Role>>> = {
  'networking.istio.io/VirtualService': virtualService,
  'networking.istio.io/DestinationRule': {
    'spec.host': 'host',
    'spec.exportTo[]': 'scope',
    'spec.trafficPolicy.tls.credentialName': 'secret',
    'spec.trafficPolicy.portLevelSettings[].port.number': 'port',
    'spec.subsets[].trafficPolicy.tls.credentialName': 'secret',
  },
  'networking.istio.io/ServiceEntry': { 'spec.exportTo[]': 'scope' },
  'networking.istio.io/Gateway': {
    'spec.servers[].tls.credentialName': 'secret',
    'spec.servers[].tls.credentialNames[]': 'secret',
    'spec.servers[].tls.caCertCredentialName': 'secret',
  },
  'networking.istio.io/Sidecar': { 'spec.egress[].hosts[]': 'scoped-host' },
  'security.istio.io/AuthorizationPolicy': {
    'spec.rules[].from[].source.namespaces[]': 'namespace',
    'spec.rules[].from[].source.notNamespaces[]': 'namespace',
  },
  'gateway.networking.k8s.io/HTTPRoute': routeOf(),
  'gateway.networking.k8s.io/GRPCRoute': routeOf(),
  'gateway.networking.k8s.io/TLSRoute': routeOf(),
  'gateway.networking.k8s.io/TCPRoute': routeOf(),
};

/** What the field at `path` (from the object's root) of a kind names; undefined for fields that name nothing. */
export function roleOf(group: string, kind: string, path: FieldPath): Role | undefined {
  const written = fieldPattern(path);
  if (written === 'metadata.namespace') return 'namespace';
  const fields = BY_KIND[`${group}/${kind}`];
  return fields !== undefined && Object.hasOwn(fields, written) ? fields[written] : undefined;
}

/** The reference fields of a kind, as steps in which -1 stands for every index. */
export function referenceFields(group: string, kind: string): readonly (readonly [readonly (string | -1)[], Role])[] {
  const key = `${group}/${kind}`;
  let fields = prepared.get(key);
  if (fields === undefined) {
    fields = Object.entries(BY_KIND[key] ?? {}).map(([pattern, role]) => [stepsOf(pattern), role] as const);
    prepared.set(key, fields);
  }
  return fields;
}

const prepared = new Map<string, readonly (readonly [readonly (string | -1)[], Role])[]>();

function stepsOf(pattern: string): (string | -1)[] {
  return pattern.split('.').flatMap((step): (string | -1)[] => (step.endsWith('[]') ? [step.slice(0, -2), -1] : [step]));
}

function fieldPattern(path: FieldPath): string {
  let pattern = '';
  for (const step of path) pattern += typeof step === 'number' ? '[]' : pattern === '' ? step : `.${step}`;
  return pattern;
}
