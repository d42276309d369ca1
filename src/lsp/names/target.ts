import { fullHost } from '../../analysis/model/hosts.ts';
import type { FieldPath } from '../../config/resource.ts';
import type { Role } from './reference-fields.ts';

/**
 * What a name stands for, as text, so that both ends of a reference can be compared: `host reviews.shop.svc.cluster.local`,
 * `subset HOST NAME`, `gateway NAMESPACE/NAME`.
 */
export type Target = string;

/** A field that names something, and where to look further: `textAt` gives the text of other fields of the same object. */
export interface Reference {
  readonly role: Role;
  readonly value: string;
  /** From the object's root. */
  readonly path: FieldPath;
  readonly namespace: string;
  textAt(path: FieldPath): string | undefined;
}

/** What a reference names; undefined for `mesh`, `*` and the like, which stand nowhere. */
export function targetOf({ role, value, path, namespace, textAt }: Reference): Target | undefined {
  if (value === '') return undefined;
  const beside = (name: string): string | undefined => textAt([...path.slice(0, -1), name]);
  switch (role) {
    case 'host':
      return hostTarget(namespace, value);
    case 'scoped-host': {
      const slash = value.indexOf('/');
      const scope = value.slice(0, slash);
      if (slash === -1 || value.endsWith('/*')) return undefined;
      return hostTarget(scope === '.' || scope === '*' ? namespace : scope, value.slice(slash + 1));
    }
    case 'subset': {
      const host = beside('host');
      return host === undefined ? undefined : subsetTarget(fullHost(namespace, host), value);
    }
    case 'gateway':
      return value === 'mesh' ? undefined : `gateway ${value.includes('/') ? value : `${namespace}/${value}`}`;
    case 'delegate':
      return `virtual-service ${beside('namespace') ?? namespace}/${value}`;
    case 'secret':
      // A credential of another namespace is written with a prefix: `kubernetes://namespace/name`.
      return `secret ${value.includes('/') ? value.replace(/^.*:\/\//, '') : `${namespace}/${value}`}`;
    case 'namespace':
      return `namespace ${value}`;
    case 'scope':
      return value === '.' || value === '*' ? undefined : `namespace ${value}`;
    case 'backend':
      return (beside('kind') ?? 'Service') === 'Service' ? hostTarget(beside('namespace') ?? namespace, value) : undefined;
    case 'parent':
      return (beside('kind') ?? 'Gateway') === 'Gateway' ? `k8s-gateway ${beside('namespace') ?? namespace}/${value}` : undefined;
    case 'port':
      return undefined;
  }
}

/** The target of a host that an object of `namespace` names. */
export function hostTarget(namespace: string, host: string): Target {
  return `host ${fullHost(namespace, host)}`;
}

/** The target of a subset of a host's full name. */
export function subsetTarget(host: string, subset: string): Target {
  return `subset ${host} ${subset}`;
}

/** What an object declares by its own name; `kind` is `group/Kind`. */
export function nameTarget(kind: string, namespace: string, name: string): Target | undefined {
  switch (kind) {
    case '/Service':
      return hostTarget(namespace, name);
    case '/Secret':
      return `secret ${namespace}/${name}`;
    case '/Namespace':
      return `namespace ${name}`;
    case 'networking.istio.io/Gateway':
      return `gateway ${namespace}/${name}`;
    case 'networking.istio.io/VirtualService':
      return `virtual-service ${namespace}/${name}`;
    case 'gateway.networking.k8s.io/Gateway':
      return `k8s-gateway ${namespace}/${name}`;
    default:
      return undefined;
  }
}
