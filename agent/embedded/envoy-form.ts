/** What the embedded proxy says, written as Envoy writes it. The generated API is loaded by the first answer that needs it. */
import { createHash } from 'node:crypto';
import type { BootstrapJson } from '#envoy-api/envoy/config/bootstrap/v3/bootstrap_pb.js';
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { configDump } from '../../src/envoy/dump/config-dump.ts';
import { dumpQuery, filterDump } from '../../src/envoy/dump/filter-dump.ts';
import { secretsSection } from '../../src/envoy/dump/secrets-section.ts';
import { secretNames } from '../../src/envoy/secret-names.ts';
import { loadWire } from '../../src/envoy/wire.ts';
import type { ProxyNode } from '../../src/mesh/types.ts';
import type { HttpAnswer } from '../http-client.ts';
import type { AppliedConfig } from '../proxy/protocol.ts';

/** `/config_dump?…` of what the proxy runs now. */
export async function answerConfigDump(
  config: AppliedConfig,
  of: { proxy: ProxyNode; bootstrap: BootstrapJson },
  path: string,
  given: { secrets: readonly SecretJson[]; at: number },
): Promise<HttpAnswer> {
  const { version, listeners, routes, clusters, endpoints } = config;
  const snapshot = { version, proxy: of.proxy, listeners, routes, clusters, endpoints, problems: [] };
  const query = dumpQuery(new URL(path, 'http://agent').searchParams);
  const have = new Set(given.secrets.map(({ name }) => name));
  const secrets = secretsSection({
    active: given.secrets,
    warming: secretNames(snapshot).filter((name) => !have.has(name)),
    version: createHash('sha256').update(JSON.stringify(given.secrets)).digest('hex').slice(0, 16),
    lastUpdated: given.at,
  });
  const result = filterDump(configDump(snapshot, { bootstrap: of.bootstrap, lastUpdated: config.updatedAt, secrets }), query);
  if ('status' in result) return { status: result.status, contentType: 'text/plain', body: Buffer.from(`${result.message}\n`) };
  return inSnakeCase('envoy.admin.v3.ConfigDump', result.dump);
}

/** Answers whose content type names a protobuf message leave the proxy in camelCase; Envoy's admin API speaks snake_case. */
export async function asEnvoyWrites(answer: HttpAnswer): Promise<HttpAnswer> {
  const message = /; message=([\w.]+)$/.exec(answer.contentType)?.[1];
  return message === undefined || answer.status !== 200 ? answer : inSnakeCase(message, JSON.parse(answer.body.toString('utf8')));
}

async function inSnakeCase(message: string, json: unknown): Promise<HttpAnswer> {
  const wire = await loadWire();
  return { status: 200, contentType: 'application/json', body: Buffer.from(`${JSON.stringify(wire.toSnake(message, json), null, 1)}\n`) };
}
