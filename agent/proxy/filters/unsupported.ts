/**
 * The fields of authorization and authentication filters: `true` for what is acted on, else why it is refused. What is not here at all
 * is refused as well: a rule that went unnoticed would open what it was to close.
 */
import type { ProblemList } from '../../../src/routing/problems.ts';

type Fields = Readonly<Record<string, true | string>>;

const GRPC_SERVICE_FIELDS: Fields = {
  envoyGrpc: true,
  timeout: true,
  googleGrpc: 'use envoyGrpc, through a cluster',
  initialMetadata: 'calls carry no metadata of their own',
  retryPolicy: 'a call is tried once',
};

export const FILTER_FIELDS = {
  RBAC: {
    rules: true,
    rulesStatPrefix: true,
    shadowRules: true,
    shadowRulesStatPrefix: true,
    matcher: 'matcher trees are not evaluated, use rules',
    shadowMatcher: 'matcher trees are not evaluated, use shadowRules',
    trackPerRuleStats: 'policies have no statistics of their own',
  },
  NetworkRBAC: {
    rules: true,
    shadowRules: true,
    shadowRulesStatPrefix: true,
    statPrefix: true,
    enforcementType: true,
    matcher: 'matcher trees are not evaluated, use rules',
    shadowMatcher: 'matcher trees are not evaluated, use shadowRules',
    delayDeny: 'denied connections are closed at once',
  },
  JwtAuthentication: {
    providers: true,
    rules: true,
    requirementMap: true,
    bypassCorsPreflight: true,
    stripFailureResponse: true,
    filterStateRules: 'there is no filter state',
    statPrefix: true,
  },
  JwtProvider: {
    issuer: true,
    audiences: true,
    subjects: true,
    requireExpiration: true,
    maxLifetime: true,
    remoteJwks: true,
    localJwks: true,
    forward: true,
    fromHeaders: true,
    fromParams: true,
    fromCookies: true,
    forwardPayloadHeader: true,
    padForwardPayloadHeader: true,
    payloadInMetadata: true,
    normalizePayloadInMetadata: true,
    headerInMetadata: true,
    failedStatusInMetadata: true,
    clockSkewSeconds: true,
    claimToHeaders: true,
    clearRouteCache: true,
    jwtCacheConfig: 'every token is verified anew',
  },
  RemoteJwks: { httpUri: true, cacheDuration: true, asyncFetch: true, retryPolicy: true },
  RetryPolicy: {
    numRetries: true,
    retryBackOff: true,
    retryOn: 'a fetch is tried again when there is no answer, or one of 5xx',
    retryPriority: 'all hosts are of one priority',
    retryHostPredicate: 'hosts are not avoided',
    hostSelectionRetryMaxAttempts: 'hosts are not avoided',
  },
  ExtAuthz: {
    grpcService: true,
    httpService: true,
    transportApiVersion: true,
    failureModeAllow: true,
    failureModeAllowHeaderAdd: true,
    withRequestBody: true,
    clearRouteCache: true,
    statusOnError: true,
    metadataContextNamespaces: true,
    filterEnabled: true,
    filterEnabledMetadata: true,
    denyAtDisable: true,
    includePeerCertificate: true,
    includeTlsSession: true,
    statPrefix: true,
    allowedHeaders: true,
    disallowedHeaders: true,
    validateMutations: 'headers of the service are taken as far as they are valid',
    typedMetadataContextNamespaces: 'there is no typed metadata',
    routeMetadataContextNamespaces: 'the service is not told of routes',
    routeTypedMetadataContextNamespaces: 'there is no typed metadata',
    bootstrapMetadataLabelsKey: 'the service is not told of labels',
    chargeClusterResponseStats: 'statistics of clusters are those of requests',
    encodeRawHeaders: 'headers are sent as a map',
    decoderHeaderMutationRules: 'the service may change any header',
    enableDynamicMetadataIngestion: true,
  },
  HttpService: { serverUri: true, pathPrefix: true, authorizationRequest: true, authorizationResponse: true },
  GrpcService: GRPC_SERVICE_FIELDS,
  NetworkExtAuthz: {
    statPrefix: true,
    grpcService: true,
    failureModeAllow: true,
    includePeerCertificate: true,
    includeTlsSession: true,
    transportApiVersion: true,
    filterEnabledMetadata: true,
    bootstrapMetadataLabelsKey: 'the service is not told of labels',
  },
} satisfies Record<string, Fields>;

/** Reports the fields of one message that are not acted on. */
export function checkFields(message: keyof typeof FILTER_FIELDS, json: object, path: string, problems: ProblemList): void {
  const fields: Fields = FILTER_FIELDS[message];
  for (const [field, value] of Object.entries(json)) {
    if (field === '@type' || asksForNothing(value)) continue;
    const known = Object.hasOwn(fields, field) ? fields[field] : 'it is not acted on';
    if (known !== true) problems.unsupported(`${path}.${field}`, known);
  }
}

function asksForNothing(value: unknown): boolean {
  return value === undefined || value === null || value === false || value === '' || value === 0;
}
