import type { TransportSocketJson } from '#envoy-api/envoy/config/core/v3/base_pb.js';
import type {
  CertificateValidationContextJson,
  TlsParametersJson,
} from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/common_pb.js';
import type {
  CommonTlsContextJson,
  DownstreamTlsContextJson,
  UpstreamTlsContextJson,
} from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/tls_pb.js';
import type { TLSConfig } from '../../config/kinds/mesh-config.ts';
import { typed } from '../any.ts';
import { secret } from './sds.ts';

const name = 'envoy.transport_sockets.tls';
const types = 'envoy.extensions.transport_sockets.tls.v3';

/** Plain text, where a socket must be named. */
export const rawBuffer: TransportSocketJson = {
  name: 'envoy.transport_sockets.raw_buffer',
  typedConfig: typed('envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer'),
};

export function downstreamTls(context: DownstreamTlsContextJson): TransportSocketJson {
  return { name, typedConfig: typed(`${types}.DownstreamTlsContext`, context) };
}

export function upstreamTls(context: UpstreamTlsContextJson): TransportSocketJson {
  return { name, typedConfig: typed(`${types}.UpstreamTlsContext`, context) };
}

/** Certificates by the names of their secrets. */
export function certificates(names: readonly string[]): CommonTlsContextJson {
  return names.length > 0 ? { tlsCertificateSdsSecretConfigs: names.map(secret) } : {};
}

/** Peers are checked against the roots of a secret, and against `fixed`. */
export function validation(roots: string, fixed: CertificateValidationContextJson): CommonTlsContextJson {
  return { combinedValidationContext: { defaultValidationContext: fixed, validationContextSdsSecretConfig: secret(roots) } };
}

const versions: Readonly<Record<string, TlsParametersJson['tlsMinimumProtocolVersion']>> = {
  TLSV1_0: 'TLSv1_0',
  TLSV1_1: 'TLSv1_1',
  TLSV1_2: 'TLSv1_2',
  TLSV1_3: 'TLSv1_3',
};

/** Envoy's name of a version; undefined for TLS_AUTO. */
export function tlsVersion(version: string | undefined): TlsParametersJson['tlsMinimumProtocolVersion'] | undefined {
  return version === undefined ? undefined : versions[version];
}

/** What limits of the mesh's settings say. */
export function limits(config: TLSConfig | undefined): TlsParametersJson {
  const oldest = tlsVersion(config?.minProtocolVersion);
  return {
    ...(oldest && { tlsMinimumProtocolVersion: oldest }),
    ...(config?.cipherSuites?.length && { cipherSuites: config.cipherSuites }),
    ...(config?.ecdhCurves?.length && { ecdhCurves: config.ecdhCurves }),
  };
}
