import type { AnyJson } from '@bufbuild/protobuf/wkt';
import type { ListenerFilterJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import { parseDuration } from '../../config/duration.ts';
import { typed } from '../any.ts';
import type { BuildContext } from '../context.ts';
import { envoyDuration } from '../duration.ts';

const type = (name: string, fields?: object): AnyJson => typed(`envoy.extensions.filters.listener.${name}`, fields);

export const tlsInspector: ListenerFilterJson = {
  name: 'envoy.filters.listener.tls_inspector',
  typedConfig: type('tls_inspector.v3.TlsInspector', { initialReadBufferSize: 512 }),
};

export const httpInspector: ListenerFilterJson = {
  name: 'envoy.filters.listener.http_inspector',
  typedConfig: type('http_inspector.v3.HttpInspector'),
};

export const originalDst: ListenerFilterJson = {
  name: 'envoy.filters.listener.original_dst',
  typedConfig: type('original_dst.v3.OriginalDst'),
};

/** TPROXY: connections to the application keep the client's address; the mark is what the capture rules look for. */
export const originalSrc: ListenerFilterJson = {
  name: 'envoy.filters.listener.original_src',
  typedConfig: type('original_src.v3.OriginalSrc', { mark: 1337 }),
};

export const proxyProtocol: ListenerFilterJson = {
  name: 'envoy.filters.listener.proxy_protocol',
  typedConfig: type('proxy_protocol.v3.ProxyProtocol'),
};

/** How long a listener that detects waits for the first bytes (0s: for ever), and that it then goes on without knowing. */
export function detectionTimeout({
  mesh,
}: BuildContext): Pick<ListenerJson, 'listenerFiltersTimeout' | 'continueOnListenerFiltersTimeout'> {
  const timeout = mesh.config.protocolDetectionTimeout;
  return {
    listenerFiltersTimeout: envoyDuration((timeout === undefined ? undefined : parseDuration(timeout)) ?? 0),
    continueOnListenerFiltersTimeout: true,
  };
}

/** Listeners that really bind accept one connection per event, so that all worker threads get their share. */
export const FAIR_ACCEPT = { maxConnectionsToAcceptPerSocketEvent: 1 } as const;
