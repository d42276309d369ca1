import { randomUUID } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import type { HttpConnectionManagerJson } from '#envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { applyForwarded, compileForwarded, type Forwarded, type ForwardedOptions } from '../../../src/routing/forwarded.ts';
import { compileFraction } from '../../../src/routing/fraction.ts';
import type { ProblemList } from '../../../src/routing/problems.ts';
import { applyRequestId, type RequestIdOptions } from '../../../src/routing/request-id.ts';
import type { ConnectionInfo } from '../listener/connection.ts';

/** What a connection manager does with what clients say of themselves. */
export interface ClientPolicy {
  readonly forwarded: ForwardedOptions;
  readonly requestId: RequestIdOptions;
  /** x-forwarded-for and its kin, then x-request-id; `headers` change in place. */
  apply(headers: string[], info: ConnectionInfo, internalOnly: readonly string[]): Forwarded;
}

/** Compiles use_remote_address and its neighbours, generate_request_id and the UUID extension. */
export function compileClientPolicy(json: HttpConnectionManagerJson, path: string, problems: ProblemList): ClientPolicy {
  const forwarded = compileForwarded(json, path, problems);
  const uuid = json.requestIdExtension?.typedConfig as
    | { '@type'?: string; packTraceReason?: boolean; useRequestIdForTraceSampling?: boolean }
    | undefined;
  if (uuid !== undefined && uuid['@type'] !== 'type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig')
    problems.unsupported(`${path}.requestIdExtension`, 'request ids are UUIDs');
  const percent = (value: number | string | undefined): ReturnType<typeof compileFraction> =>
    compileFraction({ numerator: Math.round(Number(value ?? 100) * 100), denominator: 'TEN_THOUSAND' });
  const { tracing } = json;
  const requestId: RequestIdOptions = {
    generate: json.generateRequestId !== false,
    preserveExternal: json.preserveExternalRequestId === true,
    packTraceReason: uuid?.packTraceReason !== false,
    useForSampling: uuid?.useRequestIdForTraceSampling !== false,
    sampling:
      tracing === undefined
        ? undefined
        : {
            client: percent(tracing.clientSampling?.value),
            random: percent(tracing.randomSampling?.value),
            overall: percent(tracing.overallSampling?.value),
          },
  };
  return {
    forwarded,
    requestId,
    apply(headers, info, internalOnly) {
      const downstream = {
        remoteAddress: info.remoteIp,
        localPort: info.localPort,
        tls: info.tls !== undefined,
        nodeAddress: nodeAddress(),
      };
      const result = applyForwarded(headers, downstream, forwarded, internalOnly);
      applyRequestId(headers, result.edge, requestId, makeUuid);
      return result;
    },
  };
}

const makeUuid = (): string => randomUUID();
let ownAddress: string | undefined;

/** This machine's first address that others can reach; loopback when there is none. */
export function nodeAddress(): string {
  ownAddress ??=
    Object.values(networkInterfaces())
      .flat()
      .find((one) => one !== undefined && !one.internal && one.family === 'IPv4')?.address ?? '127.0.0.1';
  return ownAddress;
}
