import { randomBytes } from 'node:crypto';
import type { OpenTelemetryConfigJson } from '#envoy-api/envoy/config/trace/v3/opentelemetry_pb.js';
import type { ZipkinConfigJson } from '#envoy-api/envoy/config/trace/v3/zipkin_pb.js';
import type { HttpConnectionManager_TracingJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { ProblemList } from '../../../src/routing/problems.ts';
import {
  type B3Form,
  extractB3,
  extractW3c,
  injectB3,
  injectW3c,
  type Lookup,
  type SpanContext,
  type TraceContext,
} from '../../../src/routing/trace-context.ts';
import { milliseconds } from '../../../src/upstream/milliseconds.ts';
import type { ClusterManager, RawHeaders, StatsRegistry } from '../types.ts';
import { type CustomTag, compileCustomTags } from './custom-tags.ts';
import { otlpRequest } from './otlp.ts';
import type { FinishedSpan, TracingNode } from './span.ts';
import { createSpanReporter } from './span-reporter.ts';
import { zipkinJson } from './zipkin-json.ts';

/** A connection manager's tracing, ready for use. */
export interface Tracing {
  readonly node: TracingNode;
  /** Spans are the client's side: requests that go out. */
  readonly egress: boolean;
  readonly maxPath: number;
  readonly customTags: readonly CustomTag[];
  /** A span for a request: its own ids; trace headers are written to `headers`, unless propagation is off. */
  start(header: Lookup, headers: RawHeaders, traced: boolean): SpanContext;
  report(span: FinishedSpan): void;
}

export interface TracingContext {
  node: TracingNode;
  egress: boolean;
  clusters: ClusterManager;
  stats: StatsRegistry;
  /** This machine's address, for Zipkin's local endpoint. */
  address: string;
}

type Propagate = (header: Lookup, headers: RawHeaders, traced: boolean, inject: boolean) => SpanContext;
interface Driver {
  propagate: Propagate;
  report(span: FinishedSpan): void;
}

const TYPE = 'type.googleapis.com/envoy.config.trace.v3.';
const DEFAULT_MAX_PATH = 256;
const DEFAULT_TIMEOUT_MS = 5000;

/** Undefined without a tracer; everything that is not carried out is a problem. */
export function compileTracing(
  json: HttpConnectionManager_TracingJson | undefined,
  path: string,
  context: TracingContext,
  problems: ProblemList,
): Tracing | undefined {
  if (json?.provider === undefined) return undefined;
  if (json.verbose === true) problems.unsupported(`${path}.verbose`, 'spans have no annotations');
  if (json.spawnUpstreamSpan === true) problems.unsupported(`${path}.spawnUpstreamSpan`, 'a request has one span');
  const customTags = compileCustomTags(json.customTags ?? [], `${path}.customTags`, problems);
  const config = json.provider.typedConfig as { '@type'?: string } | undefined;
  const at = `${path}.provider.typedConfig`;
  let driver: Driver | undefined;
  if (config?.['@type'] === `${TYPE}ZipkinConfig`) driver = zipkin(config as ZipkinConfigJson, at, context, problems);
  else if (config?.['@type'] === `${TYPE}OpenTelemetryConfig`)
    driver = openTelemetry(config as OpenTelemetryConfigJson, at, context, problems);
  else problems.unsupported(`${path}.provider`, `the tracer ${json.provider.name ?? ''} is not known`);
  if (driver === undefined) return undefined;
  const { propagate, report } = driver;
  const inject = json.noContextPropagation !== true;
  return {
    node: context.node,
    egress: context.egress,
    maxPath: json.maxPathTagLength ?? DEFAULT_MAX_PATH,
    customTags,
    start: (header, headers, traced) => propagate(header, headers, traced, inject),
    report,
  };
}

const randomId = (bytes: number): string => randomBytes(bytes).toString('hex');

/** A span of the trace that the request came with, or the first of a new one. */
function spanOf(parent: TraceContext | undefined, sampled: boolean, rootTraceId: (spanId: string) => string): SpanContext {
  const spanId = randomId(8);
  return parent
    ? { traceId: parent.traceId, spanId, parentId: parent.spanId, sampled }
    : { traceId: rootTraceId(spanId), spanId, parentId: '', sampled };
}

function zipkin(json: ZipkinConfigJson, path: string, context: TracingContext, problems: ProblemList): Driver | undefined {
  const { clusters, stats, node, address } = context;
  if (json.collectorEndpointVersion !== 'HTTP_JSON')
    problems.unsupported(`${path}.collectorEndpointVersion`, 'spans are written as HTTP_JSON');
  if (json.sharedSpanContext !== false) problems.unsupported(`${path}.sharedSpanContext`, 'client and server have spans of their own');
  if (json.splitSpansForRequest === true) problems.unsupported(`${path}.splitSpansForRequest`, 'a request has one span');
  if (problems.failed) return undefined;
  const w3c = json.traceContextOption === 'USE_B3_WITH_W3C_PROPAGATION';
  const cluster = json.collectorCluster ?? '';
  const report = createSpanReporter({
    cluster,
    path: json.collectorEndpoint ?? '',
    headers: ['host', json.collectorHostname || cluster, 'content-type', 'application/json'],
    timeout: DEFAULT_TIMEOUT_MS,
    encode: (spans) => Buffer.from(zipkinJson(spans, node.cluster, address)),
    clusters,
    stats,
    statPrefix: 'tracing.zipkin',
  });
  const propagate: Propagate = (header, headers, traced, inject) => {
    const b3 = extractB3(header);
    const parent = b3.context ?? (w3c ? extractW3c(header) : undefined);
    const form: B3Form = b3.form;
    // Envoy: the first span's id is the lower half of the trace's.
    const root = (spanId: string): string => (json.traceId128bit === true ? randomId(8) : '') + spanId;
    const span = spanOf(parent, parent?.sampled ?? b3.sampled ?? traced, root);
    if (inject) {
      injectB3(headers, span, form);
      if (w3c) injectW3c(headers, span);
    }
    return span;
  };
  return { propagate, report };
}

function openTelemetry(json: OpenTelemetryConfigJson, path: string, context: TracingContext, problems: ProblemList): Driver | undefined {
  const { clusters, stats } = context;
  if ((json.resourceDetectors ?? []).length > 0) problems.unsupported(`${path}.resourceDetectors`, 'resources are not looked for');
  if (json.sampler !== undefined) problems.unsupported(`${path}.sampler`, 'the connection manager decides');
  const { httpService: http, grpcService: grpc } = json;
  if (http === undefined && grpc?.envoyGrpc === undefined)
    problems.unsupported(path, 'spans go to an httpService, or to grpcService.envoyGrpc');
  if (problems.failed) return undefined;
  const serviceName = json.serviceName || 'unknown_service:envoy';
  const common = { clusters, stats, statPrefix: 'tracing.opentelemetry' };
  const report =
    http !== undefined
      ? createSpanReporter({
          ...common,
          cluster: http.httpUri?.cluster ?? '',
          ...targetOf(http.httpUri?.uri ?? '', [
            'content-type',
            'application/x-protobuf',
            ...(http.requestHeadersToAdd ?? []).flatMap((h) => [(h.header?.key ?? '').toLowerCase(), h.header?.value ?? '']),
          ]),
          timeout: milliseconds(http.httpUri?.timeout, DEFAULT_TIMEOUT_MS),
          encode: (spans) => Buffer.from(otlpRequest(spans, serviceName)),
        })
      : createSpanReporter({
          ...common,
          cluster: grpc!.envoyGrpc!.clusterName ?? '',
          path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
          headers: [
            ...['host', grpc!.envoyGrpc!.authority || (grpc!.envoyGrpc!.clusterName ?? '')],
            ...['te', 'trailers', 'content-type', 'application/grpc'],
            ...(grpc!.initialMetadata ?? []).flatMap((h) => [(h.key ?? '').toLowerCase(), h.value ?? '']),
          ],
          timeout: milliseconds(grpc!.timeout, DEFAULT_TIMEOUT_MS),
          encode: (spans) => grpcFrame(otlpRequest(spans, serviceName)),
        });
  const propagate: Propagate = (header, headers, traced, inject) => {
    const parent = extractW3c(header);
    const span = spanOf(parent, parent?.sampled ?? traced, () => randomId(16));
    if (inject) {
      injectW3c(headers, span);
      // Envoy: it is written, empty or not.
      if (header('tracestate') === undefined || parent === undefined) replaceState(headers);
    }
    return span;
  };
  return { propagate, report };
}

/** The state of another trace is none of this one's. */
function replaceState(headers: RawHeaders): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) if (headers[i] === 'tracestate') headers.splice(i, 2);
  headers.push('tracestate', '');
}

function targetOf(uri: string, headers: RawHeaders): { path: string; headers: RawHeaders } {
  const url = URL.parse(uri);
  return { path: url ? url.pathname + url.search : '/', headers: ['host', url?.host ?? '', ...headers] };
}

/** gRPC over HTTP/2: not compressed, four bytes of length. */
function grpcFrame(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}
