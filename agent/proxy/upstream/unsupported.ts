/**
 * What the upstream side makes of every message of a cluster's configuration: fields that it acts on (`true`), fields without
 * any effect on traffic (`true` as well), and fields that are refused, with the reason that people read. A field that is not
 * named here at all is refused too.
 */
export type FieldTable = Readonly<Record<string, true | string>>;

const noHttp3 = 'there is no HTTP/3';
const noMix = 'the protocol is not chosen by ALPN; use explicitHttpConfig';
const deprecatedDns = 'use typedDnsResolverConfig';

export const CLUSTER_FIELDS: FieldTable = {
  name: true,
  altStatName: true,
  type: true,
  clusterType: true,
  edsClusterConfig: true,
  connectTimeout: true,
  // Sockets and HTTP/2 windows bound what is kept for a slow peer.
  perConnectionBufferLimitBytes: true,
  lbPolicy: true,
  loadAssignment: true,
  healthChecks: 'hosts are not checked actively; use outlierDetection',
  maxRequestsPerConnection: true,
  circuitBreakers: true,
  upstreamHttpProtocolOptions: true,
  commonHttpProtocolOptions: true,
  httpProtocolOptions: true,
  http2ProtocolOptions: true,
  typedExtensionProtocolOptions: true,
  dnsRefreshRate: true,
  dnsFailureRefreshRate: true,
  respectDnsTtl: true,
  dnsLookupFamily: true,
  dnsResolvers: deprecatedDns,
  useTcpForDnsLookups: deprecatedDns,
  dnsResolutionConfig: deprecatedDns,
  // The system resolves names; the query limits of c-ares have no counterpart.
  typedDnsResolverConfig: true,
  waitForWarmOnInit: true,
  outlierDetection: true,
  cleanupInterval: true,
  upstreamBindConfig: true,
  lbSubsetConfig: 'hosts are not divided into subsets; make a cluster for each',
  ringHashLbConfig: true,
  maglevLbConfig: true,
  originalDstLbConfig: true,
  leastRequestLbConfig: true,
  roundRobinLbConfig: true,
  commonLbConfig: true,
  transportSocket: true,
  transportSocketMatches: true,
  metadata: true,
  protocolSelection: 'use typedExtensionProtocolOptions',
  upstreamConnectionOptions: true,
  closeConnectionsOnHostHealthFailure: 'hosts are not checked actively',
  ignoreHealthOnHostRemoval: true,
  filters: 'there are no upstream network filters',
  loadBalancingPolicy: 'use lbPolicy',
  lrsServer: 'load is not reported',
  lrsReportEndpointMetrics: 'load is not reported',
  trackTimeoutBudgets: 'timeout budgets are not tracked',
  upstreamConfig: 'there are no custom upstreams',
  trackClusterStats: 'no further statistics are kept',
  preconnectPolicy: 'connections are not made in advance',
  connectionPoolPerDownstreamConnection: 'connections are shared',
};

export const COMMON_LB_FIELDS: FieldTable = {
  healthyPanicThreshold: true,
  zoneAwareLbConfig: 'requests are not kept in the zone; use localityWeightedLbConfig',
  localityWeightedLbConfig: true,
  // Updates are merged anyway: balancers look at them when they next choose.
  updateMergeWindow: true,
  ignoreNewHostsUntilFirstHc: 'hosts are not checked actively',
  closeConnectionsOnHostSetChange: 'connections to hosts that stay are kept',
  consistentHashingLbConfig: true,
  overrideHostStatus: 'hosts are not overridden',
};

export const CONSISTENT_HASHING_FIELDS: FieldTable = { useHostnameForHashing: true, hashBalanceFactor: 'load is not bounded by host' };

export const RING_HASH_FIELDS: FieldTable = { minimumRingSize: true, hashFunction: true, maximumRingSize: true };

export const ORIGINAL_DST_FIELDS: FieldTable = {
  useHttpHeader: 'the address comes from the connection alone',
  httpHeaderName: 'the address comes from the connection alone',
  upstreamPortOverride: true,
  metadataKey: 'the address comes from the connection alone',
};

export const OUTLIER_FIELDS: FieldTable = {
  consecutive5xx: true,
  interval: true,
  baseEjectionTime: true,
  maxEjectionPercent: true,
  enforcingConsecutive5xx: true,
  enforcingSuccessRate: true,
  successRateMinimumHosts: true,
  successRateRequestVolume: true,
  successRateStdevFactor: true,
  consecutiveGatewayFailure: true,
  enforcingConsecutiveGatewayFailure: true,
  splitExternalLocalOriginErrors: true,
  consecutiveLocalOriginFailure: true,
  enforcingConsecutiveLocalOriginFailure: true,
  enforcingLocalOriginSuccessRate: true,
  failurePercentageThreshold: true,
  enforcingFailurePercentage: true,
  enforcingFailurePercentageLocalOrigin: true,
  failurePercentageMinimumHosts: true,
  failurePercentageRequestVolume: true,
  maxEjectionTime: true,
  maxEjectionTimeJitter: true,
  successfulActiveHealthCheckUnejectHost: true,
  monitors: 'there are no extensions of outlier detection',
  alwaysEjectOneHost: true,
};

export const CIRCUIT_BREAKER_FIELDS: FieldTable = { thresholds: true, perHostThresholds: 'limits hold for the cluster as a whole' };

export const THRESHOLD_FIELDS: FieldTable = {
  priority: true,
  maxConnections: true,
  maxPendingRequests: true,
  maxRequests: true,
  maxRetries: true,
  retryBudget: true,
  trackRemaining: true,
  maxConnectionPools: 'pools are not limited, connections are',
};

export const BIND_FIELDS: FieldTable = {
  sourceAddress: true,
  freebind: 'sockets are bound to addresses of this host alone',
  socketOptions: 'socket options cannot be set',
  extraSourceAddresses: 'there is one source address',
  additionalSourceAddresses: 'there is one source address',
  localAddressSelector: 'there is one source address',
};

export const CONNECTION_FIELDS: FieldTable = {
  tcpKeepalive: true,
  setLocalInterfaceNameOnUpstreamConnections: 'interface names are not recorded',
  happyEyeballsConfig: 'addresses are tried in turn',
};

export const HTTP_FIELDS: FieldTable = {
  commonHttpProtocolOptions: true,
  upstreamHttpProtocolOptions: true,
  explicitHttpConfig: true,
  useDownstreamProtocolConfig: true,
  autoConfig: noMix,
  httpFilters: 'there are no upstream HTTP filters',
  headerValidationConfig: 'headers are validated as RFC 9110 says',
};

export const COMMON_HTTP_FIELDS: FieldTable = {
  idleTimeout: true,
  maxConnectionDuration: true,
  maxHeadersCount: 'headers are limited by size',
  maxStreamDuration: "use the route's maxStreamDuration",
  headersWithUnderscoresAction: 'headers of responses pass as they are',
  maxRequestsPerConnection: true,
};

export const HTTP_CONFIG_FIELDS: FieldTable = { httpProtocolOptions: true, http2ProtocolOptions: true, http3ProtocolOptions: noHttp3 };

export const HTTP1_FIELDS: FieldTable = {
  // Downstream settings without a meaning here.
  allowAbsoluteUrl: true,
  acceptHttp10: true,
  defaultHostForHttp10: true,
  headerKeyFormat: 'header names are sent in lower case',
  enableTrailers: 'trailers of requests are dropped',
  allowChunkedLength: 'conflicting lengths are refused',
  overrideStreamErrorOnInvalidHttpMessage: true,
  sendFullyQualifiedUrl: 'requests are sent in origin form',
  useBalsaParser: true,
  allowCustomMethods: true,
};

export const HTTP2_FIELDS: FieldTable = {
  hpackTableSize: true,
  maxConcurrentStreams: true,
  initialStreamWindowSize: true,
  initialConnectionWindowSize: true,
  allowConnect: true,
  allowMetadata: 'metadata frames are not passed on',
  maxOutboundFrames: true,
  maxOutboundControlFrames: true,
  maxConsecutiveInboundFramesWithEmptyPayload: true,
  maxInboundPriorityFramesPerStream: true,
  maxInboundWindowUpdateFramesPerDataFrameSent: true,
  streamErrorOnInvalidHttpMessaging: true,
  overrideStreamErrorOnInvalidHttpMessage: true,
  customSettingsParameters: 'settings cannot be added',
  connectionKeepalive: true,
  useOghttp2Codec: true,
};

export const FORWARD_PROXY_FIELDS: FieldTable = {
  dnsCacheConfig: true,
  subClustersConfig: 'there are no sub-clusters',
  allowInsecureClusterOptions: true,
  allowCoalescedConnections: 'connections are not coalesced',
};

export const PROXY_PROTOCOL_FIELDS: FieldTable = {
  config: true,
  transportSocket: true,
  allowUnspecifiedAddress: true,
  tlvAsPoolKey: 'TLVs are not sent',
};

export const PROXY_PROTOCOL_CONFIG_FIELDS: FieldTable = {
  version: true,
  passThroughTlvs: 'TLVs are not sent',
  addedTlvs: 'TLVs are not sent',
};
