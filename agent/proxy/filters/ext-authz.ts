import type { ExtAuthzJson } from '#envoy-api/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js';
import { compileRuntimeFraction, takes } from '../../../src/routing/fraction.ts';
import { JOINED_RESPONSE_HEADERS } from '../../../src/routing/joined-headers.ts';
import { clusterName } from '../../../src/routing/match.ts';
import { compileMetadataTest } from '../../../src/routing/metadata-matcher.ts';
import { ProblemList } from '../../../src/routing/problems.ts';
import type { Exchange } from '../http/exchange.ts';
import type { AuthzAnswer, HeaderChange } from './ext-authz/answer.ts';
import { applyToRequest, changeHeaders } from './ext-authz/apply-answer.ts';
import { type CheckedRequest, encodeCheckRequest } from './ext-authz/check-request.ts';
import { compileGrpcClient } from './ext-authz/grpc-client.ts';
import { compileHeaderList } from './ext-authz/header-list.ts';
import { ALWAYS_TOLD, compileHttpClient } from './ext-authz/http-client.ts';
import { statusNumber } from './ext-authz/status-number.ts';
import type { HttpFilter, HttpFilterFactory } from './http-filter.ts';
import { checkFields } from './unsupported.ts';

const METADATA = 'envoy.filters.http.ext_authz';

/** What is kept of one request. */
interface Call {
  /** Undefined when the service has answered. */
  pending: { cancel(): void } | undefined;
  response: readonly HeaderChange[];
  /** By performance.now(). */
  readonly started: number;
}

/** Asks a service of your own whether a request may pass. Envoy: external authorization filter. */
export const createExtAuthz: HttpFilterFactory = (name, config, { statPrefix, stats, path }) => {
  const problems = new ProblemList();
  const json = config as ExtAuthzJson;
  checkFields('ExtAuthz', json, path, problems);
  const prefix = `http.${statPrefix}.ext_authz.${json.statPrefix ? `${json.statPrefix}.` : ''}`;
  const counters = new Map(['ok', 'denied', 'error', 'disabled', 'failure_mode_allowed'].map((key) => [key, stats.counter(prefix + key)]));
  const always = json.httpService === undefined ? [] : ALWAYS_TOLD;
  const allowedHeaders =
    json.allowedHeaders === undefined ? undefined : compileHeaderList(json.allowedHeaders, `${path}.allowedHeaders`, problems, always);
  const disallowed = compileHeaderList(json.disallowedHeaders, `${path}.disallowedHeaders`, problems);
  const enabled =
    json.filterEnabled === undefined ? undefined : compileRuntimeFraction(json.filterEnabled, `${path}.filterEnabled`, problems);
  const wanted =
    json.filterEnabledMetadata === undefined
      ? undefined
      : compileMetadataTest(json.filterEnabledMetadata, `${path}.filterEnabledMetadata`, problems);
  const statusOnError = statusNumber(json.statusOnError?.code, 403);
  const { maxRequestBytes = 0, allowPartialMessage = false, packAsBytes = false } = json.withRequestBody ?? {};
  if (json.withRequestBody !== undefined && maxRequestBytes === 0)
    problems.invalid(`${path}.withRequestBody.maxRequestBytes`, 'must be above 0');
  const overHttp =
    json.httpService === undefined
      ? undefined
      : compileHttpClient(json.httpService, allowedHeaders !== undefined, `${path}.httpService`, problems);
  const overGrpc = json.grpcService === undefined ? undefined : compileGrpcClient(json.grpcService, `${path}.grpcService`, problems);
  if ((overHttp === undefined) === (overGrpc === undefined)) problems.invalid(path, 'one of grpcService, httpService is required');

  function count(exchange: Exchange, what: string): void {
    counters.get(what)!.inc();
    const { decision } = exchange;
    const cluster = decision?.kind === 'route' ? exchange.manager.clusters.get(clusterName(decision, exchange.request)) : undefined;
    if (what !== 'disabled') cluster?.stats.counter(`ext_authz.${what}`).inc();
  }

  function ask(
    exchange: Exchange,
    body: Buffer | undefined,
    partial: boolean,
    done: (answer: AuthzAnswer | undefined) => void,
  ): { cancel(): void } {
    const request = checkedRequest(exchange, (header) => (allowedHeaders?.(header) ?? true) && !disallowed(header), body, packAsBytes);
    if (body !== undefined) (request.headers as Map<string, string>).set('x-envoy-auth-partial-body', String(partial));
    if (overHttp !== undefined) return overHttp(exchange, request, done);
    const metadata: Record<string, unknown> = {};
    for (const filter of json.metadataContextNamespaces ?? []) {
      const found = exchange.request.metadata?.[filter];
      if (found !== undefined) metadata[filter] = found;
    }
    const options = {
      includeCertificate: json.includePeerCertificate === true,
      includeTlsSession: json.includeTlsSession === true,
      metadata,
    };
    return overGrpc!(exchange.manager.clusters, encodeCheckRequest(exchange.connection.info, request, options), done);
  }

  /** True: the request may go on. */
  function judge(exchange: Exchange, call: Call, answer: AuthzAnswer | undefined): boolean {
    if (answer !== undefined && Object.keys(answer.metadata).length > 0) Object.assign(exchange.dynamicMetadata(METADATA), answer.metadata);
    if (answer === undefined) {
      count(exchange, 'error');
      if (json.failureModeAllow !== true) return refuse(exchange, statusOnError, 'ext_authz_error');
      count(exchange, 'failure_mode_allowed');
      if (json.failureModeAllowHeaderAdd === true) {
        exchange.request.headers.push('x-envoy-auth-failure-mode-allowed', 'true');
        exchange.request.headersChanged();
      }
      return true;
    }
    if (!answer.allowed) {
      count(exchange, 'denied');
      return refuse(exchange, answer.status, 'ext_authz_denied', answer.body, answer.headers);
    }
    count(exchange, 'ok');
    if (Object.keys(answer.metadata).length > 0)
      exchange.dynamicMetadata(METADATA)['ext_authz_duration'] = Math.trunc(performance.now() - call.started);
    call.response = answer.response;
    if (applyToRequest(answer, exchange.request) && json.clearRouteCache === true) exchange.rematch();
    return true;
  }

  function refuse(exchange: Exchange, status: number, details: string, body: string | Buffer = '', headers: string[] = []): false {
    exchange.addFlag('UAEX');
    exchange.localReply(status, body, details, headers);
    return false;
  }

  function start(exchange: Exchange, call: Call, body: Buffer | undefined, partial: boolean): boolean {
    let inside = true;
    let passed = false;
    call.pending = ask(exchange, body, partial, (answer) => {
      call.pending = undefined;
      if (exchange.done) return;
      passed = judge(exchange, call, answer);
      if (passed && !inside) exchange.continueRequest();
    });
    inside = false;
    return passed;
  }

  const filter: HttpFilter = {
    name,
    onRequest(exchange) {
      // Envoy: without a route there is nothing to protect.
      if (exchange.decision?.kind === 'not-found') return true;
      if ((enabled !== undefined && !takes(enabled, Math.random())) || wanted?.test(exchange.request.metadata) === false) {
        count(exchange, 'disabled');
        return json.denyAtDisable?.defaultValue === true ? refuse(exchange, statusOnError, 'ext_authz_error') : true;
      }
      const call: Call = { pending: undefined, response: [], started: performance.now() };
      exchange.filterState ??= new Map();
      exchange.filterState.set(filter, call);
      // A filter before this one may have collected the body.
      const bodiless = exchange.requestEnded && exchange.collected === undefined;
      if (json.withRequestBody === undefined || bodiless || exchange.upgrade !== undefined) return start(exchange, call, undefined, false);
      // One byte more than may be there tells that it is too large.
      exchange.collectRequest(allowPartialMessage ? maxRequestBytes : maxRequestBytes + 1, () => {
        const whole = Buffer.concat(exchange.collected!.pieces);
        if (!allowPartialMessage && whole.length > maxRequestBytes) {
          exchange.localReply(413, 'Payload Too Large', 'request_payload_too_large');
          return;
        }
        if (start(exchange, call, whole.subarray(0, maxRequestBytes), whole.length > maxRequestBytes)) exchange.continueRequest();
      });
      return false;
    },
    onResponse(exchange, _status, headers) {
      const call = exchange.filterState?.get(filter) as Call | undefined;
      if (call !== undefined && call.response.length > 0) changeHeaders(headers, call.response, JOINED_RESPONSE_HEADERS);
    },
    onEnd(exchange) {
      (exchange.filterState?.get(filter) as Call | undefined)?.pending?.cancel();
    },
  };
  return { filter: problems.failed ? undefined : filter, problems: problems.all };
};

function checkedRequest(
  exchange: Exchange,
  told: (name: string) => boolean,
  body: Buffer | undefined,
  bodyAsBytes: boolean,
): CheckedRequest {
  const { request, stream } = exchange;
  const headers = new Map<string, string>();
  const put = (name: string, value: string): void => {
    if (!told(name)) return;
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before},${value}`);
  };
  put(':authority', request.authority);
  put(':path', request.path);
  put(':method', request.method);
  put(':scheme', request.scheme);
  for (let i = 0; i < request.headers.length; i += 2) put(request.headers[i]!, request.headers[i + 1]!);
  return {
    id: String(exchange.connection.info.id * 65_536 + exchange.attempts),
    startTime: exchange.startTime,
    method: request.method,
    path: request.path,
    host: request.authority,
    scheme: request.scheme,
    protocol: stream.protocol === 'HTTP/2' ? 'HTTP/2' : stream.protocol,
    size: exchange.bytesReceived,
    headers,
    body,
    bodyAsBytes,
  };
}
