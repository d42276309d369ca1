import type { MetadataJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type { Origin } from './types.ts';
import type { Locator } from './view.ts';

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** The resource named by metadata (`istio.config`, `fairlead.field`), located when the sources are at hand. */
export function originOfMetadata(metadata: MetadataJson | undefined, locator: Locator | undefined): Origin | undefined {
  const istio = metadata?.filterMetadata?.['istio'];
  const fairlead = metadata?.filterMetadata?.['fairlead'];
  const config = text(fairlead?.['config']) ?? text(istio?.['config']);
  if (config === undefined) return undefined;
  const field = text(fairlead?.['field']);
  const parsed = parseConfigPath(config);
  return locator?.resource(config, field) ?? (parsed && { ...parsed, config, ...(field !== undefined && { field }) });
}

/** Kinds whose capitals a path does not keep. */
const ROUTES: Readonly<Record<string, string>> = {
  httproute: 'HTTPRoute',
  grpcroute: 'GRPCRoute',
  tlsroute: 'TLSRoute',
  tcproute: 'TCPRoute',
};

/** `/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews`; undefined for other texts. */
export function parseConfigPath(config: string): { kind: string; name: string; namespace: string } | undefined {
  const found = /^\/apis\/[^/]*\/[^/]+\/namespaces\/([^/]*)\/([^/]+)\/(.+)$/.exec(config);
  if (found === null) return undefined;
  const [, namespace = '', kebab = '', name = ''] = found;
  const kind = ROUTES[kebab] ?? kebab.replace(/(^|-)([a-z0-9])/g, (_, _dash: string, letter: string) => letter.toUpperCase());
  return { kind, name, namespace };
}

/** Where a part of a VirtualService's rule was written (`fault`, `redirect`, …), given where the rule's match was. */
export function partOfRule(origin: Origin | undefined, part: string, locator: Locator | undefined): Origin | undefined {
  const rule = /^http\[\d+\]/.exec(origin?.field ?? '')?.[0];
  if (origin?.config === undefined || rule === undefined || origin.kind !== 'VirtualService') return origin;
  const field = `${rule}.${part}`;
  return locator?.resource(origin.config, field) ?? { ...origin, field };
}
