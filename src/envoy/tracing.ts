/** Tracing of connection managers: Envoy's own tracers, which the embedded proxy has as well. */
import type { Tracing_HttpJson } from '#envoy-api/envoy/config/trace/v3/http_tracer_pb.js';
import type { OpenTelemetryConfigJson } from '#envoy-api/envoy/config/trace/v3/opentelemetry_pb.js';
import type { ZipkinConfigJson } from '#envoy-api/envoy/config/trace/v3/zipkin_pb.js';
import type { HttpConnectionManager_TracingJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import type { CustomTagJson } from '#envoy-api/envoy/type/tracing/v3/custom_tag_pb.js';
import { parseDuration } from '../config/duration.ts';
import { canonicalRevision, canonicalService } from '../mesh/canonical.ts';
import { clusterId } from '../mesh/locality.ts';
import { getOrMake } from '../mesh/memo.ts';
import { typed } from './any.ts';
import type { BuildContext } from './context.ts';
import { envoyDuration } from './duration.ts';
import { collectorOf, zipkinCollector } from './tracing-collector.ts';
import { type ExtensionProvider, type TracingSettings, tracingProvider, tracingSettings } from './tracing-settings.ts';

/** A tracer and the longest path in its spans; a string says why there is none. */
type Tracer = { provider: Tracing_HttpJson; maxTagLength: number | undefined } | string;

const ZIPKIN_PATH = '/api/v2/spans';
const OTLP_PATH = '/v1/traces';

const milliseconds = (text: string | undefined): string | undefined => {
  const ms = text === undefined ? undefined : parseDuration(text);
  return ms ? envoyDuration(ms) : undefined;
};

function zipkin(config: Omit<ZipkinConfigJson, 'collectorEndpointVersion' | 'sharedSpanContext'>): Tracing_HttpJson {
  // Istio: each proxy's span is its own, 128 bits to an id.
  const fields: ZipkinConfigJson = { collectorEndpointVersion: 'HTTP_JSON', sharedSpanContext: false, traceId128bit: true, ...config };
  return { name: 'envoy.tracers.zipkin', typedConfig: typed('envoy.config.trace.v3.ZipkinConfig', fields) };
}

/** Istio: `service.name` is the canonical service and its namespace. */
function serviceName({ proxy }: BuildContext): string {
  const { workload } = proxy;
  return `${canonicalService(proxy.labels, workload.workloadName || workload.name)}.${proxy.namespace}`;
}

function openTelemetry(context: BuildContext, given: NonNullable<ExtensionProvider['opentelemetry']>): Tracer {
  const collector = collectorOf(context.scope, given.service, given.port);
  if (typeof collector === 'string') return collector;
  const { cluster, host } = collector;
  const { http, grpc } = given;
  const headers = (list: readonly { name?: string; value?: string }[] | undefined) =>
    (list ?? []).filter((h) => h.name && h.value !== undefined).map(({ name = '', value = '' }) => ({ key: name, value }));
  const config: OpenTelemetryConfigJson = { serviceName: serviceName(context) };
  if (http) {
    const added = headers(http.headers);
    config.httpService = {
      httpUri: { uri: `http://${host}${http.path || OTLP_PATH}`, cluster, timeout: milliseconds(http.timeout) ?? '5s' },
      ...(added.length > 0 && {
        requestHeadersToAdd: added.map((h) => ({ header: h, appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD' as const })),
      }),
    };
  } else {
    const timeout = milliseconds(grpc?.timeout);
    const initialMetadata = headers(grpc?.initialMetadata);
    config.grpcService = {
      envoyGrpc: { clusterName: cluster, authority: host },
      ...(timeout && { timeout }),
      ...(initialMetadata.length > 0 && { initialMetadata }),
    };
  }
  return {
    provider: { name: 'envoy.tracers.opentelemetry', typedConfig: typed('envoy.config.trace.v3.OpenTelemetryConfig', config) },
    maxTagLength: given.maxTagLength,
  };
}

function tracerOf(context: BuildContext, { provider: name }: TracingSettings): Tracer {
  if (name === undefined) {
    const found = zipkinCollector(context.mesh, context.scope);
    if (typeof found === 'string') return found;
    const provider = zipkin({ collectorCluster: found.cluster, collectorEndpoint: ZIPKIN_PATH, collectorHostname: found.host });
    return { provider, maxTagLength: undefined };
  }
  const provider = tracingProvider(context.mesh.config, name);
  if (provider === undefined) return `there is no provider ${name}`;
  if (provider.opentelemetry) return openTelemetry(context, provider.opentelemetry);
  if (!provider.zipkin) return `provider ${name} is neither zipkin nor opentelemetry`;
  const { service, port, path, enable64bitTraceId, traceContextOption, maxTagLength } = provider.zipkin;
  const collector = collectorOf(context.scope, service, port);
  if (typeof collector === 'string') return collector;
  return {
    provider: zipkin({
      collectorCluster: collector.cluster,
      collectorEndpoint: path || ZIPKIN_PATH,
      collectorHostname: collector.host,
      traceId128bit: enable64bitTraceId !== true,
      ...(traceContextOption === 'USE_B3_WITH_W3C_PROPAGATION' && { traceContextOption }),
    }),
    maxTagLength,
  };
}

type CustomTag = NonNullable<TracingSettings['customTags']>[string];

function customTag(tag: string, given: CustomTag): CustomTagJson | undefined {
  const { literal, environment, header } = given;
  const formatter = 'formatter' in given ? given.formatter : undefined;
  if (literal?.value) return { tag, literal: { value: literal.value } };
  if (environment?.name) return { tag, environment: { name: environment.name, ...withDefault(environment.defaultValue) } };
  if (header?.name) return { tag, requestHeader: { name: header.name.toLowerCase(), ...withDefault(header.defaultValue) } };
  return formatter?.value ? { tag, value: formatter.value } : undefined;
}

const withDefault = (defaultValue: string | undefined): { defaultValue?: string } => (defaultValue ? { defaultValue } : {});

/** Istio's tags of every span; without its authorization's dry runs, which nothing makes here. */
function istioTags({ mesh, proxy }: BuildContext): CustomTagJson[] {
  const { workload } = proxy;
  const values = {
    'istio.canonical_revision': canonicalRevision(proxy.labels),
    'istio.canonical_service': canonicalService(proxy.labels, workload.workloadName || workload.name),
    'istio.cluster_id': clusterId(workload),
    'istio.mesh_id': mesh.config.trustDomain,
    'istio.namespace': proxy.namespace,
  };
  return Object.entries(values)
    .filter(([, value]) => value !== '')
    .map(([tag, value]) => ({ tag, literal: { value } }));
}

const percent = (value: number): { value: number } => ({ value });

/** Settings of a proxy's tracing and the tracer; undefined when nothing asks for traces. */
function tracerFor(context: BuildContext): { settings: TracingSettings; tracer: Tracer } | undefined {
  const settings = tracingSettings(context.mesh, context.proxy, context.receives ? 'SERVER' : 'CLIENT');
  return settings && { settings, tracer: tracerOf(context, settings) };
}

type HttpTracing = { tracing: HttpConnectionManager_TracingJson; useRequestId: boolean };
const memo = new WeakMap<BuildContext['scope'], Map<boolean, { made: HttpTracing | undefined }>>();

/** A connection manager's tracing; undefined where no spans are made. Without a tracer trace headers travel on untouched. */
export function tracing(context: BuildContext): HttpTracing | undefined {
  const byMode = getOrMake(memo, context.scope, () => new Map<boolean, { made: HttpTracing | undefined }>());
  return getOrMake(byMode, context.receives === true, () => ({ made: make(context) })).made;
}

function make(context: BuildContext): HttpTracing | undefined {
  const found = tracerFor(context);
  if (found === undefined || found.settings.disabled || typeof found.tracer === 'string') return undefined;
  const { settings, tracer } = found;
  const tags = [
    ...(settings.istioTags ? istioTags(context) : []),
    ...Object.entries(settings.customTags ?? {}).flatMap(([tag, value]) => customTag(tag, value) ?? []),
  ].sort((a, b) => (a.tag! < b.tag! ? -1 : 1));
  const maxPath = tracer.maxTagLength ?? context.mesh.config.defaultConfig?.tracing?.maxPathTagLength;
  return {
    useRequestId: settings.useRequestId,
    tracing: {
      clientSampling: percent(100),
      // Istio: a value above 100 becomes 1.
      randomSampling: percent(settings.sampling > 100 ? 1 : settings.sampling),
      overallSampling: percent(100),
      ...(maxPath && { maxPathTagLength: maxPath }),
      ...(tags.length > 0 && { customTags: tags }),
      provider: tracer.provider,
      ...(!settings.propagate && { noContextPropagation: true }),
    },
  };
}
