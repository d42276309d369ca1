import type { Static } from 'typebox';
import { boolean, choice, duration, int32, message } from '../schema.ts';

const noneToo = { zero: true } as const;

export const ConnectionSettings = message('Limits of the connections that a proxy accepts. Defaults are those of the profile.', {
  profile: choice(
    ['SIDECAR', 'EDGE'],
    'SIDECAR: no limits, the default. EDGE: limits for gateways that face the internet; the figures below in brackets.',
  ),
  listenerPerConnectionBufferLimitBytes: int32('Buffer of a client connection, in bytes (32768).'),
  clusterPerConnectionBufferLimitBytes: int32('Buffer of a connection to a service, in bytes (32768).'),
  httpIdleTimeout: duration('How long a client connection may have no requests (1h).', noneToo),
  httpMaxConnectionDuration: duration('How long a client connection may live.', noneToo),
  httpDrainTimeout: duration('How long a connection that is being closed still takes requests.', noneToo),
  httpRequestTimeout: duration('How long a client may take to send a whole request (5m).', noneToo),
  httpRequestHeadersTimeout: duration('How long a client may take to send the headers (60s).', noneToo),
  httpStreamIdleTimeout: duration('How long a request may have nothing sent or received (5m).', noneToo),
  httpMaxStreamDuration: duration('How long a request may take in all.', noneToo),
  httpMaxConcurrentStreams: int32('Requests at once on an HTTP/2 connection (100).'),
  http2InitialStreamWindowSize: int32('Flow-control window of an HTTP/2 stream, in bytes (65536); at least 65535.'),
  http2InitialConnectionWindowSize: int32('Flow-control window of an HTTP/2 connection, in bytes (1048576); at least 65535.'),
  httpHeadersWithUnderscoresAction: choice(
    [
      'HEADERS_WITH_UNDERSCORES_UNSPECIFIED',
      'HEADERS_WITH_UNDERSCORES_ALLOW',
      'HEADERS_WITH_UNDERSCORES_REJECT_REQUEST',
      'HEADERS_WITH_UNDERSCORES_DROP_HEADER',
    ],
    'What becomes of headers whose names hold an underscore: allowed, the request refused (EDGE), or the header dropped.',
  ),
  httpMergeSlashes: boolean('Makes one slash of several in paths (EDGE: true).'),
  httpPathWithEscapedSlashesAction: choice(
    ['PATH_WITH_ESCAPED_SLASHES_UNSPECIFIED', 'KEEP_UNCHANGED', 'REJECT_REQUEST', 'UNESCAPE_AND_REDIRECT', 'UNESCAPE_AND_FORWARD'],
    'What becomes of `%2F` and `%5C` in paths: kept, the request refused, decoded with a redirect (EDGE), or decoded and sent on.',
  ),
  listenerConnectionLimit: int32('Client connections on one listener at once.'),
  globalDownstreamConnectionLimit: int32('Client connections of the proxy at once.'),
});

export type ConnectionSettings = Static<typeof ConnectionSettings>;
