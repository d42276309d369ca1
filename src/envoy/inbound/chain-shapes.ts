import type { FilterChainMatchJson } from '#envoy-api/envoy/config/listener/v3/listener_components_pb.js';
import type { MtlsMode } from '../../mesh/security/peer-authentication.ts';
import { MESH_TLS_PROTOCOLS, PLAIN_HTTP_PROTOCOLS } from '../protocols.ts';

/** One filter chain of an inbound port: what it matches, and what it speaks. */
export interface ChainShape {
  transport: 'raw_buffer' | 'tls';
  protocols?: readonly string[];
  speaks: 'http' | 'tcp';
  /** Terminates mesh TLS: needs the workload's certificate. */
  meshTls: boolean;
}

const istioHttp = ['istio-http/1.0', 'istio-http/1.1', 'istio-h2'];
const istioTcp = ['istio-peer-exchange', 'istio'];

const plainHttp: ChainShape = { transport: 'raw_buffer', speaks: 'http', meshTls: false };
const sniffedHttp: ChainShape = { ...plainHttp, protocols: PLAIN_HTTP_PROTOCOLS };
const plainTcp: ChainShape = { transport: 'raw_buffer', speaks: 'tcp', meshTls: false };
const opaqueTls: ChainShape = { transport: 'tls', speaks: 'tcp', meshTls: false };
const mesh = (speaks: ChainShape['speaks'], protocols?: readonly string[]): ChainShape => ({
  transport: 'tls',
  speaks,
  meshTls: true,
  ...(protocols && { protocols }),
});

const shapes: Record<'http' | 'tcp' | 'detected', Record<MtlsMode, readonly ChainShape[]>> = {
  http: {
    PERMISSIVE: [mesh('http', MESH_TLS_PROTOCOLS), plainHttp],
    STRICT: [mesh('http')],
    DISABLE: [plainHttp],
  },
  tcp: {
    PERMISSIVE: [mesh('tcp', MESH_TLS_PROTOCOLS), opaqueTls, plainTcp],
    STRICT: [mesh('tcp')],
    DISABLE: [plainTcp],
  },
  detected: {
    PERMISSIVE: [mesh('http', istioHttp), sniffedHttp, mesh('tcp', istioTcp), plainTcp, opaqueTls],
    STRICT: [mesh('http', istioHttp), mesh('tcp')],
    DISABLE: [sniffedHttp, plainTcp],
  },
};

/** The chains of a port, in Istio's order. */
export function chainShapes(kind: 'http' | 'tcp' | 'detected', mode: MtlsMode): readonly ChainShape[] {
  return shapes[kind][mode];
}

/** The match of a chain; `port` is the target port, undefined for the chains of unknown ports. */
export function chainMatch(shape: ChainShape, port: number | undefined): FilterChainMatchJson {
  return {
    ...(port !== undefined && { destinationPort: port }),
    transportProtocol: shape.transport,
    ...(shape.protocols && { applicationProtocols: [...shape.protocols] }),
  };
}
