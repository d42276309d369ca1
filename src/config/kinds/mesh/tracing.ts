import type { Static } from 'typebox';
import { ClientTLSSettings } from '../networking/client-tls.ts';
import { as, boolean, choice, double, int64, list, map, message, string, uint32 } from '../schema.ts';

/** How trace ids travel in OpenCensus. */
export const openCensusContext = list(
  choice(['UNSPECIFIED', 'W3C_TRACE_CONTEXT', 'GRPC_BIN', 'CLOUD_TRACE_CONTEXT', 'B3'], 'A way for trace ids to travel in headers.'),
  'Ways for trace ids to travel in headers. Default: W3C_TRACE_CONTEXT.',
);

export const CustomTag = message(
  'The value of a tag, from one of these places.',
  {
    literal: message('A fixed value.', { value: string('The value.') }),
    environment: message('An environment variable of the proxy.', {
      name: string('Its name.'),
      defaultValue: string('The value without it. Default: no tag.'),
    }),
    header: message('A header of the request.', {
      name: string('Its name.'),
      defaultValue: string('The value without it. Default: no tag.'),
    }),
  },
  { oneOf: [['literal', 'environment', 'header']] },
);

export const Tracing = message(
  'Where the spans of proxies go, and how many. The Telemetry kind and `extensionProviders` do more.',
  {
    zipkin: message('Zipkin.', { address: string('Its address: `host:port`.') }),
    lightstep: message(
      'Lightstep; not supported by proxies any more.',
      { address: string('Its address: `host:port`.'), accessToken: string('Access token.') },
      { deprecated: true },
    ),
    datadog: message('Datadog.', { address: string('Address of its agent: `host:port`.') }),
    stackdriver: message('Stackdriver.', {
      debug: boolean('Writes spans to standard output.'),
      maxNumberOfAttributes: int64('Attributes a span. Default: 200.'),
      maxNumberOfAnnotations: int64('Annotations a span. Default: 200.'),
      maxNumberOfMessageEvents: int64('Message events a span. Default: 200.'),
    }),
    openCensusAgent: message('OpenCensus; not supported by proxies any more.', {
      address: string('gRPC address of its agent.'),
      context: openCensusContext,
    }),
    customTags: map(CustomTag, 'Further tags of every span, by name.'),
    maxPathTagLength: uint32('Longest path in the tag of the URL, in bytes. Default: 256.'),
    sampling: double('Share of requests that are traced when the client does not say, in percent. Default: 1.', {
      minimum: 0,
      maximum: 100,
    }),
    tlsSettings: as(ClientTLSSettings, 'How connections to the tracing service are secured.'),
    enableIstioTags: boolean('Adds the tags `istio.*` to spans. Default: true.'),
  },
  { oneOf: [['zipkin', 'lightstep', 'datadog', 'stackdriver', 'openCensusAgent']] },
);

export type Tracing = Static<typeof Tracing>;
