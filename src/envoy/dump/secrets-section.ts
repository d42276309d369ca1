/** The secrets of a proxy as a config dump shows them: without private keys. */
import type { SecretsConfigDumpJson } from '#envoy-api/envoy/admin/v3/config_dump_pb.js';
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { typed } from '../any.ts';

/** What Envoy writes in place of every sensitive field (its `MessageUtil::redact`). */
const REDACTED = '[redacted]';
const SECRET = 'envoy.extensions.transport_sockets.tls.v3.Secret';

export interface DumpedSecrets {
  active: readonly SecretJson[];
  /** Names that are asked for and were not given yet. */
  warming: readonly string[];
  version: string;
  /** Milliseconds since 1970. */
  lastUpdated: number;
}

export function secretsSection({ active, warming, version, lastUpdated }: DumpedSecrets): SecretsConfigDumpJson {
  const at = new Date(lastUpdated).toISOString();
  const one = (secret: SecretJson, versionInfo: string) => ({
    name: secret.name ?? '',
    versionInfo,
    lastUpdated: at,
    secret: typed(SECRET, redacted(secret)),
  });
  return {
    ...(active.length > 0 && { dynamicActiveSecrets: active.map((secret) => one(secret, version)) }),
    ...(warming.length > 0 && { dynamicWarmingSecrets: warming.map((name) => one({ name }, 'uninitialized')) }),
  };
}

function redacted(secret: SecretJson): SecretJson {
  const { tlsCertificate } = secret;
  if (secret.genericSecret || secret.sessionTicketKeys) return { name: secret.name ?? '' };
  if (tlsCertificate === undefined) return secret;
  const { privateKey, password, ...rest } = tlsCertificate;
  return {
    ...secret,
    tlsCertificate: {
      ...rest,
      ...(privateKey && { privateKey: { inlineString: REDACTED } }),
      ...(password && { password: { inlineString: REDACTED } }),
    },
  };
}
