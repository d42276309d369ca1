/** Provenance: which resource, and which field of it, made a piece of Envoy config. */
import type { MetadataJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import { type FieldPath, formatPath, type Resource } from '../config/resource.ts';
import { getOrMake } from '../mesh/memo.ts';

type Named = Pick<Resource, 'group' | 'version' | 'kind' | 'metadata'>;

/** `VirtualService` → `virtual-service`. */
function kebab(kind: string): string {
  return getOrMake(kebabs, kind, () => kind.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase());
}

const kebabs = new Map<string, string>();

/**
 * The path that Istio writes to `filter_metadata.istio.config` and istioctl reads:
 * `/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews`.
 */
export function configPath(resource: Named): string {
  return getOrMake(paths, resource, pathOf);
}

const paths = new WeakMap<Named, string>();

function pathOf(resource: Named): string {
  const { namespace, name } = resource.metadata;
  return `/apis/${resource.group}/${resource.version}/namespaces/${namespace}/${kebab(resource.kind)}/${name}`;
}

/** What `fairlead` metadata says: `field` is inside the spec of the resource named by `config`, or else by `istio.config`. */
export interface Provenance {
  /** `http[0].match[1]`. */
  field?: string;
  config?: string;
}

/** A path inside `spec` as `fairlead.field` has it; a leading `spec` is cut. */
export function fieldOf(path: FieldPath): string {
  return formatPath(path[0] === 'spec' ? path.slice(1) : path);
}

/**
 * Filter metadata that names `resource` as Istio does, and the field inside it.
 * `origin` is given when another resource (a delegate) wrote the field.
 */
export function provenance(resource: Named, field?: FieldPath | string, origin?: Named): MetadataJson {
  const config = configPath(resource);
  const filterMetadata: NonNullable<MetadataJson['filterMetadata']> = { istio: { config } };
  const fairlead: { [key: string]: string } = {};
  const text = typeof field === 'string' ? field : field === undefined ? '' : fieldOf(field);
  if (text !== '') fairlead['field'] = text;
  if (origin !== undefined && origin !== resource) {
    const other = configPath(origin);
    if (other !== config) fairlead['config'] = other;
  }
  if (Object.keys(fairlead).length > 0) filterMetadata['fairlead'] = fairlead;
  return { filterMetadata };
}
