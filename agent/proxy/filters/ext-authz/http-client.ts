import type { HttpServiceJson } from '#envoy-api/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js';
import { applyHeaderMutations, compileHeaderMutations } from '../../../../src/routing/header-mutation.ts';
import { removeHopByHop } from '../../../../src/routing/hop-by-hop.ts';
import { jsonDuration } from '../../../../src/routing/json-duration.ts';
import type { ProblemList } from '../../../../src/routing/problems.ts';
import { nodeAddress } from '../../http/client-policy.ts';
import type { Exchange } from '../../http/exchange.ts';
import { type ClusterAnswer, callCluster } from '../call-cluster.ts';
import { checkFields } from '../unsupported.ts';
import type { AuthzAnswer, HeaderChange } from './answer.ts';
import type { CheckedRequest } from './check-request.ts';
import { compileHeaderList, type HeaderList } from './header-list.ts';

export type HttpAuthzClient = (
  exchange: Exchange,
  request: CheckedRequest,
  done: (answer: AuthzAnswer | undefined) => void,
) => { cancel(): void };

/** The service names headers that the upstream must not see. */
const TO_REMOVE = 'x-envoy-auth-headers-to-remove';
/** Headers that a service over HTTP is always told. */
export const ALWAYS_TOLD = ['authorization', ':method', ':path', ':authority', 'host'];

/** Compiles `http_service`. `narrowed`: the filter itself says which headers are told. */
export function compileHttpClient(json: HttpServiceJson, narrowed: boolean, path: string, problems: ProblemList): HttpAuthzClient {
  checkFields('HttpService', json, path, problems);
  const { authorizationRequest: asked = {}, authorizationResponse: answered = {}, serverUri = {}, pathPrefix = '' } = json;
  const { cluster = '' } = serverUri;
  if (cluster === '') problems.invalid(`${path}.serverUri.cluster`, 'is required');
  if (pathPrefix !== '' && !pathPrefix.startsWith('/')) problems.invalid(`${path}.pathPrefix`, 'must begin with a slash');
  const timeout = jsonDuration(serverUri.timeout, `${path}.serverUri.timeout`, problems) ?? 0;
  const added = compileHeaderMutations(
    asked.headersToAdd?.map((header) => ({ header, appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD' as const })),
    [],
    'request',
    `${path}.authorizationRequest`,
    problems,
  );
  const told = narrowed
    ? () => true
    : compileHeaderList(asked.allowedHeaders, `${path}.authorizationRequest.allowedHeaders`, problems, ALWAYS_TOLD);
  const list = (name: keyof typeof answered, more: readonly string[] = []): HeaderList =>
    compileHeaderList(answered[name], `${path}.authorizationResponse.${name}`, problems, more);
  const upstream = list('allowedUpstreamHeaders');
  const append = list('allowedUpstreamHeadersToAppend');
  const onSuccess = list('allowedClientHeadersOnSuccess');
  const toMetadata = list('dynamicMetadataFromHeaders');
  const toClient: HeaderList =
    (answered.allowedClientHeaders?.patterns ?? []).length === 0
      ? (name) => name !== 'host' && name !== ':authority'
      : list('allowedClientHeaders', ['content-length', 'www-authenticate', 'location']);

  return (exchange, request, done) => {
    const body = request.body ?? Buffer.alloc(0);
    const headers: string[] = ['content-length', String(body.length)];
    for (const [name, value] of request.headers)
      if (!name.startsWith(':') && name !== 'host' && name !== 'content-length' && told(name)) headers.push(name, value);
    if (added !== undefined) applyHeaderMutations(added, headers, exchange.info());
    removeHopByHop(headers);
    headers.unshift('host', request.host);
    headers.push('x-envoy-internal', 'true', 'x-forwarded-for', nodeAddress());
    const { method } = request;
    const target = pathPrefix + request.path;
    return callCluster(exchange.manager.clusters, { cluster, method, path: target, headers, body, timeout }, (answer) =>
      done(answer && read(answer)),
    );
  };

  function read({ status, headers, body }: ClusterAnswer): AuthzAnswer | undefined {
    // Envoy: a service that fails is no service that denies.
    if (status >= 500) return undefined;
    removeHopByHop(headers);
    const metadata: Record<string, unknown> = {};
    const each = (visit: (name: string, value: string) => void): void => {
      for (let i = 0; i < headers.length; i += 2) if (headers[i] !== TO_REMOVE) visit(headers[i]!, headers[i + 1]!);
    };
    each((name, value) => {
      if (toMetadata(name)) metadata[name] = value;
    });
    if (status !== 200) {
      const kept: string[] = [];
      each((name, value) => void (toClient(name) && kept.push(name, value)));
      return { allowed: false, status, body, headers: kept, metadata };
    }
    const request: HeaderChange[] = [];
    const response: HeaderChange[] = [];
    each((name, value) => {
      if (upstream(name)) request.push({ name, value, action: 'overwrite' });
      if (append(name)) request.push({ name, value, action: 'add' });
      if (onSuccess(name)) response.push({ name, value, action: 'add' });
    });
    const removeFromRequest: string[] = [];
    for (let i = 0; i < headers.length; i += 2)
      if (headers[i] === TO_REMOVE)
        for (const name of headers[i + 1]!.split(',')) if (name.trim() !== '') removeFromRequest.push(name.trim().toLowerCase());
    return { allowed: true, request, removeFromRequest, response, setQuery: [], removeQuery: [], metadata };
  }
}
