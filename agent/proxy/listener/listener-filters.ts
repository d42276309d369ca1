import type {
  ListenerFilterChainMatchPredicateJson,
  ListenerFilterJson,
} from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { Problem } from '../../../src/errors.ts';
import { createHttpInspector } from './http-inspector.ts';
import type { Inspector } from './inspector.ts';
import { createProxyProtocol } from './proxy-protocol.ts';
import { createTlsInspector } from './tls-inspector.ts';

const PACKAGE = 'type.googleapis.com/envoy.extensions.filters.listener';
const never = (): boolean => false;

/** Compiles listener filters. original_dst looks at the socket, not at bytes, so it leaves nothing behind. */
export function compileListenerFilters(
  filters: readonly ListenerFilterJson[],
  path: string,
): { inspectors: Inspector[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const inspectors: Inspector[] = [];
  filters.forEach((filter, i) => {
    const field = `${path}.listenerFilters[${i}]`;
    const type = String((filter.typedConfig as { '@type'?: unknown } | undefined)?.['@type'] ?? '');
    const disabled = filter.filterDisabled === undefined ? never : compilePredicate(filter.filterDisabled);
    switch (type) {
      case `${PACKAGE}.tls_inspector.v3.TlsInspector`:
        inspectors.push(createTlsInspector(disabled));
        break;
      case `${PACKAGE}.http_inspector.v3.HttpInspector`:
        inspectors.push(createHttpInspector(disabled));
        break;
      case `${PACKAGE}.proxy_protocol.v3.ProxyProtocol`: {
        const config = filter.typedConfig as { allowRequestsWithoutProxyProtocol?: boolean };
        inspectors.push(createProxyProtocol(disabled, config.allowRequestsWithoutProxyProtocol === true));
        break;
      }
      case `${PACKAGE}.original_dst.v3.OriginalDst`:
        break;
      default:
        problems.push({
          severity: 'error',
          rule: 'unsupported/listener-filter',
          message: `${field}: the listener filter ${filter.name ?? type} is not supported`,
          path: field,
        });
    }
  });
  return { inspectors, problems };
}

function compilePredicate(json: ListenerFilterChainMatchPredicateJson): (port: number) => boolean {
  if (json.orMatch !== undefined) {
    const rules = (json.orMatch.rules ?? []).map(compilePredicate);
    return (port) => rules.some((rule) => rule(port));
  }
  if (json.andMatch !== undefined) {
    const rules = (json.andMatch.rules ?? []).map(compilePredicate);
    return (port) => rules.every((rule) => rule(port));
  }
  if (json.notMatch !== undefined) {
    const rule = compilePredicate(json.notMatch);
    return (port) => !rule(port);
  }
  if (json.destinationPortRange !== undefined) {
    const { start = 0, end = 0 } = json.destinationPortRange;
    return (port) => port >= start && port < end;
  }
  return () => json.anyMatch === true;
}
