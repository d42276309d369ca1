import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import { listenerAccessLogs } from '../access-log.ts';
import type { BuildContext } from '../context.ts';
import { HTTP_PROXY_ROUTE, listenerName } from '../names.ts';
import { LOCALHOST, listenerAddress } from './address.ts';
import { detectionTimeout, FAIR_ACCEPT } from './filters.ts';
import { outboundHttpChain } from './outbound-http.ts';

/** The listener for applications that are told to use an HTTP proxy (HTTP_PROXY): every service, by host and port. */
export function httpProxyListener(context: BuildContext, port: number): ListenerJson {
  const name = listenerName(LOCALHOST, port);
  const logs = listenerAccessLogs(context);
  return {
    name,
    address: listenerAddress(LOCALHOST, port),
    filterChains: [outboundHttpChain(context, name, HTTP_PROXY_ROUTE, 'HTTP_PROXY')],
    ...detectionTimeout(context),
    trafficDirection: 'OUTBOUND',
    ...(logs.length > 0 && { accessLog: logs }),
    ...FAIR_ACCEPT,
  };
}
