import type { Static } from 'typebox';
import { boolean, choice, duration, int32, int64, list, message, port, string, stringMap, strings, struct, uint32 } from '../schema.ts';
import { openCensusContext } from './tracing.ts';

/** Where a provider is found. */
const endpoint = {
  service: string('Host of its service: `host` or `namespace/host`.'),
  port: port('Port of its service.'),
};
const maxTagLength = uint32('Longest path in the tag of the URL, in bytes. Default: 256.');

export const HttpHeader = message(
  'A header to send.',
  { name: string('Its name.'), value: string('Its value.'), envName: string('Environment variable of the proxy that holds its value.') },
  { oneOf: [['value', 'envName']] },
);

export const HttpService = message('How the service is called over HTTP.', {
  path: string('Path of requests.'),
  timeout: duration('How long a request may take.', { zero: true }),
  headers: list(HttpHeader, 'Headers to send.'),
});

export const GrpcService = message('How the service is called over gRPC.', {
  timeout: duration('How long a call may take.', { zero: true }),
  initialMetadata: list(HttpHeader, 'Metadata to send.'),
});

/** What both external authorizers have in common. */
const authorizer = {
  ...endpoint,
  timeout: duration('How long the answer may take. Default: 600s.'),
  failOpen: boolean('Lets requests pass when the authorizer cannot be asked. Default: false.'),
  clearRouteCache: boolean('Chooses the route again after the authorizer changed headers. Default: false.'),
  statusOnError: string('HTTP status when the authorizer cannot be asked, as a number or its Envoy name. Default: 403.'),
  includeRequestBodyInCheck: message('Sends the body along.', {
    maxRequestBytes: uint32('How much of it is kept, in bytes; larger requests are answered 413, unless `allowPartialMessage`.'),
    allowPartialMessage: boolean('Sends the beginning of larger bodies. Default: false.'),
    packAsBytes: boolean('Sends the body as bytes, not as UTF-8 text. gRPC only. Default: false.'),
  }),
};

export const EnvoyExternalAuthorizationHttpProvider = message('Asks an HTTP service whether a request may pass; it answers 200 if so.', {
  ...authorizer,
  pathPrefix: string('Put before the path of the request.'),
  includeHeadersInCheck: strings('Use `includeRequestHeadersInCheck`.', { deprecated: true }),
  includeRequestHeadersInCheck: strings('Headers of the request that are sent along, with `*` at either end as wildcard.'),
  includeAdditionalHeadersInCheck: stringMap('Further headers to send, by name.'),
  headersToUpstreamOnAllow: strings('Headers of the answer that are added to the request when it may pass.'),
  headersToDownstreamOnDeny: strings('Headers of the answer that the client gets when it may not. Default: all.'),
  headersToDownstreamOnAllow: strings('Headers of the answer that the client gets when it may.'),
});

export const EnvoyExternalAuthorizationGrpcProvider = message(
  "Asks a gRPC service (Envoy's ext_authz) whether a request or connection may pass.",
  authorizer,
);

export const ZipkinTracingProvider = message('Zipkin.', {
  ...endpoint,
  maxTagLength,
  enable64bitTraceId: boolean('Makes trace ids of 64 bits, not 128. Default: false.'),
  path: string('Path of requests. Default: `/api/v2/spans`.'),
  traceContextOption: choice(
    ['USE_B3', 'USE_B3_WITH_W3C_PROPAGATION'],
    'Headers that carry trace ids. USE_B3, the default: B3. USE_B3_WITH_W3C_PROPAGATION: W3C read where B3 is missing, both sent.',
  ),
  timeout: duration('How long a request may take. Default: 5s.'),
  headers: list(HttpHeader, 'Headers to send.'),
});

export const OpenTelemetryTracingProvider = message('OpenTelemetry, over gRPC unless `http` is given.', {
  ...endpoint,
  maxTagLength,
  http: HttpService,
  grpc: GrpcService,
  resourceDetectors: message('Where attributes of the resource come from.', {
    environment: message('Present: from the environment variable OTEL_RESOURCE_ATTRIBUTES.', {}),
    dynatrace: message("Present: from Dynatrace's metadata files.", {}),
  }),
  serviceAttributeEnrichment: choice(
    ['ISTIO_CANONICAL', 'OTEL_SEMANTIC_CONVENTIONS'],
    'What service.name and its like are made of: canonical names (the default), or the labels and annotations of OpenTelemetry.',
  ),
  dynatraceSampler: message('Samples as Dynatrace says.', {
    tenant: string('Id of the tenant.'),
    clusterId: int32('Id of the cluster.'),
    rootSpansPerMinute: uint32('Traces a minute when Dynatrace cannot be asked. Default: 1000.'),
    httpService: message("Dynatrace's API. Default: the service of the provider.", { ...endpoint, http: HttpService }),
  }),
});

const logFormat = (fields: string) => ({
  text: string('As text, with Envoy variables such as `%RESPONSE_CODE%`.'),
  labels: struct(fields),
});
const logName = (name: string) => string(`Name of the log. Default: \`${name}\`.`);
const filterStateObjectsToLog = strings('Filter state objects to log.');

export const EnvoyHttpGrpcV3LogProvider = message("Sends log entries of HTTP requests to a gRPC service (Envoy's ALS).", {
  ...endpoint,
  logName: logName('http_envoy_accesslog'),
  filterStateObjectsToLog,
  additionalRequestHeadersToLog: strings('Further headers of requests to log.'),
  additionalResponseHeadersToLog: strings('Further headers of responses to log.'),
  additionalResponseTrailersToLog: strings('Further trailers of responses to log.'),
});

export const ExtensionProvider = message(
  'Something outside that policies and Telemetry refer to by name: an authorizer, a tracing service, a log.',
  {
    name: string('Its name, unique within the mesh.'),
    envoyExtAuthzHttp: EnvoyExternalAuthorizationHttpProvider,
    envoyExtAuthzGrpc: EnvoyExternalAuthorizationGrpcProvider,
    zipkin: ZipkinTracingProvider,
    lightstep: message(
      'Lightstep; not supported by proxies any more. Use `opentelemetry`.',
      { ...endpoint, accessToken: string('Access token.'), maxTagLength },
      { deprecated: true },
    ),
    datadog: message('Datadog.', { ...endpoint, maxTagLength }),
    stackdriver: message('Stackdriver.', {
      debug: boolean('Writes spans to standard output.', { deprecated: true }),
      maxNumberOfAttributes: int64('Attributes a span. Default: 200.', { deprecated: true }),
      maxNumberOfAnnotations: int64('Annotations a span. Default: 200.', { deprecated: true }),
      maxNumberOfMessageEvents: int64('Message events a span. Default: 200.', { deprecated: true }),
      maxTagLength,
      logging: message('Its logs.', { labels: stringMap('Labels of log entries: CEL expressions by name.') }),
    }),
    opencensus: message(
      'OpenCensus; not supported by proxies any more. Use `opentelemetry`.',
      { ...endpoint, context: openCensusContext, maxTagLength },
      { deprecated: true },
    ),
    skywalking: message('SkyWalking.', { ...endpoint, accessToken: string('Access token.') }),
    opentelemetry: OpenTelemetryTracingProvider,
    prometheus: message('Present: metrics for Prometheus to fetch.', {}),
    envoyFileAccessLog: message('Writes log entries to a file.', {
      path: string('The file, such as `/dev/stdout`.'),
      logFormat: message(
        'What an entry looks like. Default: the format of the mesh.',
        logFormat('As JSON: the fields of an entry by name.'),
        {
          oneOf: [['text', 'labels']],
        },
      ),
      omitEmptyValues: boolean('Leaves out fields without a value. Default: false.'),
    }),
    envoyHttpAls: EnvoyHttpGrpcV3LogProvider,
    envoyTcpAls: message("Sends log entries of TCP connections to a gRPC service (Envoy's ALS).", {
      ...endpoint,
      logName: logName('tcp_envoy_accesslog'),
      filterStateObjectsToLog,
    }),
    envoyOtelAls: message('Sends log entries to an OpenTelemetry collector over gRPC.', {
      ...endpoint,
      logName: logName('otel_envoy_accesslog'),
      logFormat: message('What an entry looks like.', logFormat('Attributes of an entry by name.')),
    }),
    sds: message('A service of certificates and keys (SDS).', { name: string('Its name, for `credentialName: sds://name`.'), ...endpoint }),
  },
  {
    oneOf: [
      [
        'envoyExtAuthzHttp',
        'envoyExtAuthzGrpc',
        'zipkin',
        'lightstep',
        'datadog',
        'stackdriver',
        'opencensus',
        'skywalking',
        'opentelemetry',
        'prometheus',
        'envoyFileAccessLog',
        'envoyHttpAls',
        'envoyTcpAls',
        'envoyOtelAls',
        'sds',
      ],
    ],
  },
);

export type ExtensionProvider = Static<typeof ExtensionProvider>;
