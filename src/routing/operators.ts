import { compileTimeFormat } from './start-time.ts';
import type { StreamInfo } from './stream-info.ts';

/** A value of one command operator; undefined shows as `-` in logs and as nothing in headers. */
export type OperatorValue = string | number | boolean | object | undefined;

/** One compiled operator. Numbers stay numbers in JSON logs. */
export type Operator = (info: StreamInfo) => OperatorValue;

const some = (text: string | undefined): string | undefined => (text === undefined || text === '' || text === '-' ? undefined : text);
const hostOf = (address: string | undefined): string | undefined => {
  if (address === undefined || address === '') return undefined;
  if (address.startsWith('[')) return address.slice(1, address.indexOf(']'));
  const colon = address.lastIndexOf(':');
  return colon < 0 || address.indexOf(':') !== colon ? address : address.slice(0, colon);
};
const portOf = (address: string | undefined): number | undefined => {
  const port = /:(\d+)$/.exec(address ?? '');
  return port === null ? undefined : Number(port[1]);
};
const whole = (n: number | undefined): number | undefined => (n === undefined ? undefined : Math.floor(n));

/** Operators without arguments. */
const plain: Readonly<Record<string, Operator>> = {
  PROTOCOL: (i) => some(i.protocol),
  RESPONSE_CODE: (i) => i.status ?? 0,
  RESPONSE_CODE_DETAILS: (i) => some(i.details)?.replaceAll(' ', '_'),
  CONNECTION_TERMINATION_DETAILS: (i) => some(i.terminationDetails),
  RESPONSE_FLAGS: (i) => i.flags ?? '-',
  BYTES_RECEIVED: (i) => i.bytesReceived ?? 0,
  BYTES_SENT: (i) => i.bytesSent ?? 0,
  DURATION: (i) => whole(i.duration),
  REQUEST_DURATION: (i) => whole(i.requestDuration),
  REQUEST_TX_DURATION: (i) => whole(i.requestTxDuration),
  RESPONSE_DURATION: (i) => whole(i.responseDuration),
  RESPONSE_TX_DURATION: (i) => whole(i.responseTxDuration),
  UPSTREAM_HOST: (i) => some(i.upstreamHost),
  UPSTREAM_REMOTE_ADDRESS: (i) => some(i.upstreamRemoteAddress ?? i.upstreamHost),
  UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: (i) => hostOf(i.upstreamRemoteAddress ?? i.upstreamHost),
  UPSTREAM_REMOTE_PORT: (i) => portOf(i.upstreamRemoteAddress ?? i.upstreamHost),
  UPSTREAM_CLUSTER: (i) => some(i.upstreamCluster),
  UPSTREAM_CLUSTER_RAW: (i) => some(i.upstreamCluster),
  UPSTREAM_LOCAL_ADDRESS: (i) => some(i.upstreamLocalAddress),
  UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: (i) => hostOf(i.upstreamLocalAddress),
  UPSTREAM_LOCAL_PORT: (i) => portOf(i.upstreamLocalAddress),
  UPSTREAM_TRANSPORT_FAILURE_REASON: (i) => some(i.upstreamTransportFailure)?.replaceAll(' ', '_'),
  UPSTREAM_PROTOCOL: (i) => some(i.upstreamProtocol),
  UPSTREAM_REQUEST_ATTEMPT_COUNT: (i) => i.attempts ?? 0,
  UPSTREAM_CONNECTION_ID: (i) => i.upstreamConnectionId,
  DOWNSTREAM_LOCAL_ADDRESS: (i) => some(i.downstreamLocalAddress),
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: (i) => hostOf(i.downstreamLocalAddress),
  DOWNSTREAM_LOCAL_PORT: (i) => portOf(i.downstreamLocalAddress),
  DOWNSTREAM_REMOTE_ADDRESS: (i) => some(i.downstreamRemoteAddress),
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: (i) => hostOf(i.downstreamRemoteAddress),
  DOWNSTREAM_REMOTE_PORT: (i) => portOf(i.downstreamRemoteAddress),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: (i) => some(i.downstreamDirectRemoteAddress ?? i.downstreamRemoteAddress),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: (i) => hostOf(i.downstreamDirectRemoteAddress ?? i.downstreamRemoteAddress),
  DOWNSTREAM_DIRECT_REMOTE_PORT: (i) => portOf(i.downstreamDirectRemoteAddress ?? i.downstreamRemoteAddress),
  DOWNSTREAM_TLS_VERSION: (i) => some(i.tlsVersion),
  DOWNSTREAM_TLS_CIPHER: (i) => some(i.tlsCipher),
  DOWNSTREAM_PEER_SUBJECT: (i) => some(i.peerSubject),
  DOWNSTREAM_PEER_URI_SAN: (i) => some(i.peerUriSan),
  DOWNSTREAM_LOCAL_URI_SAN: (i) => some(i.localUriSan),
  DOWNSTREAM_PEER_DNS_SAN: (i) => some(i.peerDnsSan),
  DOWNSTREAM_LOCAL_DNS_SAN: (i) => some(i.localDnsSan),
  DOWNSTREAM_LOCAL_SUBJECT: (i) => some(i.localSubject),
  DOWNSTREAM_PEER_ISSUER: (i) => some(i.peerIssuer),
  DOWNSTREAM_PEER_SERIAL: (i) => some(i.peerSerial),
  DOWNSTREAM_PEER_FINGERPRINT_256: (i) => some(i.peerFingerprint),
  DOWNSTREAM_PEER_CERT: (i) => some(i.peerCertificate),
  DOWNSTREAM_TRANSPORT_FAILURE_REASON: (i) => some(i.downstreamTransportFailure)?.replaceAll(' ', '_'),
  REQUESTED_SERVER_NAME: (i) => some(i.sni),
  ROUTE_NAME: (i) => some(i.routeName),
  VIRTUAL_HOST_NAME: (i) => some(i.virtualHost),
  VIRTUAL_CLUSTER_NAME: (i) => some(i.virtualClusterName),
  FILTER_CHAIN_NAME: (i) => some(i.filterChainName),
  CONNECTION_ID: (i) => i.connectionId,
  HOSTNAME: (i) => some(i.hostname),
};

/** What a name and its argument mean; a string says why it is refused. */
export function compileOperator(name: string, argument: string | undefined, length: number | undefined): Operator | string {
  const simple = Object.hasOwn(plain, name) ? plain[name] : undefined;
  if (simple !== undefined) {
    if (argument !== undefined) return `%${name}% takes no argument`;
    return limited(simple, length);
  }
  switch (name) {
    case 'REQ':
    case 'RESP':
    case 'TRAILER':
      return header(name, argument, length);
    case 'START_TIME': {
      const show = compileTimeFormat(argument ?? '');
      if (show === undefined) return `%START_TIME(${argument})% has a conversion that is not supported`;
      return limited((i) => (i.startTime === undefined ? undefined : show(i.startTime)), length);
    }
    case 'DOWNSTREAM_PEER_CERT_V_START':
    case 'DOWNSTREAM_PEER_CERT_V_END': {
      const show = compileTimeFormat(argument ?? '');
      if (show === undefined) return `%${name}(${argument})% has a conversion that is not supported`;
      const of = name.endsWith('START') ? (i: StreamInfo) => i.peerNotBefore : (i: StreamInfo) => i.peerNotAfter;
      return limited((i) => {
        const at = of(i);
        return at === undefined ? undefined : show(at);
      }, length);
    }
    case 'DYNAMIC_METADATA':
      return metadata((i) => i.metadata, name, argument, length);
    case 'CLUSTER_METADATA':
      return metadata((i) => i.clusterMetadata, name, argument, length);
    case 'METADATA': {
      const [kind, ...rest] = (argument ?? '').split(':');
      if (kind === 'DYNAMIC') return metadata((i) => i.metadata, name, rest.join(':'), length);
      if (kind === 'ROUTE') return metadata((i) => i.routeMetadata, name, rest.join(':'), length);
      if (kind === 'CLUSTER') return metadata((i) => i.clusterMetadata, name, rest.join(':'), length);
      return `%METADATA(${argument})% is not supported: it knows DYNAMIC, ROUTE and CLUSTER`;
    }
    case 'GRPC_STATUS':
    case 'GRPC_STATUS_NUMBER':
      return grpcStatus(name, argument);
    default:
      return `%${name}% is not supported`;
  }
}

function limited(operator: Operator, length: number | undefined): Operator {
  if (length === undefined) return operator;
  return (info) => {
    const value = operator(info);
    return value === undefined ? undefined : String(value).slice(0, length);
  };
}

function header(name: 'REQ' | 'RESP' | 'TRAILER', argument: string | undefined, length: number | undefined): Operator | string {
  const [main, alternative, ...more] = (argument ?? '').split('?').map((n) => n.toLowerCase());
  if (main === undefined || main === '' || alternative === '' || more.length > 0)
    return `%${name}(X?Y)% needs a header, and at most one alternative`;
  // Envoy shows the first line of a header that has several.
  const read =
    name === 'REQ'
      ? (info: StreamInfo, key: string): string | undefined => info.request?.headerValues(key)[0]
      : (info: StreamInfo, key: string): string | undefined =>
          firstOf(name === 'RESP' ? info.responseHeaders : info.responseTrailers, key, info);
  return limited((info) => read(info, main) ?? (alternative === undefined ? undefined : read(info, alternative)), length);
}

function firstOf(headers: readonly string[] | undefined, name: string, info: StreamInfo): string | undefined {
  if (name === ':status') return info.status === undefined || info.status === 0 ? undefined : String(info.status);
  if (headers === undefined) return undefined;
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return headers[i + 1];
  return undefined;
}

function metadata(
  of: (info: StreamInfo) => Readonly<Record<string, unknown>> | undefined,
  name: string,
  argument: string | undefined,
  length: number | undefined,
): Operator | string {
  const keys = (argument ?? '').split(':');
  if (keys[0] === '') return `%${name}(NAMESPACE:KEY*)% needs a namespace`;
  const find: Operator = (info) => {
    let at: unknown = of(info);
    for (const key of keys) {
      if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
      at = (at as Record<string, unknown>)[key];
    }
    return (at ?? undefined) as OperatorValue;
  };
  if (length === undefined) return find;
  return (info) => {
    const value = find(info);
    return value === undefined ? undefined : (typeof value === 'object' ? JSON.stringify(value) : String(value)).slice(0, length);
  };
}

const grpcNames = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];

function grpcStatus(name: string, argument: string | undefined): Operator | string {
  if (name === 'GRPC_STATUS_NUMBER' || argument === 'NUMBER') return (i) => i.grpcStatus;
  if (argument !== undefined && argument !== 'CAMEL_STRING' && argument !== 'SNAKE_STRING')
    return `%GRPC_STATUS(${argument})% is not a known form`;
  const snake = argument === 'SNAKE_STRING';
  return (i) => {
    if (i.grpcStatus === undefined) return undefined;
    const text = grpcNames[i.grpcStatus];
    if (text === undefined) return String(i.grpcStatus);
    return snake ? text.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase() : text;
  };
}
