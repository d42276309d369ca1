import type { MetadataJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';

/**
 * `<name>.<namespace>` of the resource that made a piece of config, from Istio's metadata; empty without, `<unknown>` when the path is not
 * `/apis/<group>/<version>/namespaces/<ns>/<kind>/<name>`.
 */
export function managedBy(metadata: MetadataJson | undefined): string {
  const config = (metadata?.filterMetadata?.['istio'] as { config?: unknown } | undefined)?.config;
  if (config === undefined) return '';
  const parts = typeof config === 'string' ? config.split('/') : [];
  if (parts.length !== 8 || parts[1] !== 'apis' || parts[4] !== 'namespaces') return '<unknown>';
  return `${parts[7]}.${parts[5]}`;
}
