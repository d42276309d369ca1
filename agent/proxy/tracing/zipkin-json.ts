import type { FinishedSpan } from './span.ts';

/** Spans as Zipkin's JSON v2, with what Envoy writes. https://zipkin.io/zipkin-api/ */
export function zipkinJson(spans: readonly FinishedSpan[], serviceName: string, ipv4: string): string {
  return JSON.stringify(
    spans.map(({ traceId, spanId, parentId, name, kind, start, duration, tags }) => ({
      traceId,
      id: spanId,
      ...(parentId !== '' && { parentId }),
      name,
      kind,
      timestamp: start,
      duration,
      localEndpoint: { serviceName, ipv4, port: 0 },
      annotations: [{ value: kind === 'CLIENT' ? 'cr' : 'ss', timestamp: start + duration }],
      // Envoy leaves empty tags out of Zipkin's spans.
      tags: Object.fromEntries(Object.entries(tags).filter(([, value]) => value !== '')),
    })),
  );
}
