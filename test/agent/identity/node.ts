/** A node with one web proxy that asks for secrets, and an engine that remembers what it was told. */
import type { ListenerJson } from '#envoy-api/envoy/config/listener/v3/listener_pb.js';
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { createIdentity, type Identity } from '../../../agent/identity/identity.ts';
import { type CaChoice, caName, openIssuer } from '../../../agent/identity/open-issuer.ts';
import { type Log, silentLog } from '../../../agent/log.ts';
import { typed } from '../../../src/envoy/any.ts';
import type { Snapshot } from '../../../src/envoy/snapshot.ts';
import { proxiesOf } from '../../../src/mesh/proxies.ts';
import type { Mesh } from '../../../src/mesh/types.ts';
import { meshOf } from '../../mesh/fixture.ts';
import { createFakeEngine, type FakeEngine } from '../../support/fake-engine.ts';

export const WEB = `apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: web, namespace: default, annotations: { fairlead.dev/dns-names: web.example.com } }
spec: { address: 127.0.0.1, serviceAccount: web, labels: { app: web } }
---
`;

export interface Node {
  identity: Identity;
  engine: FakeEngine;
  mesh: Mesh;
  /** The only proxy's id. */
  id: string;
  /** Its config names these now. */
  name(...secrets: string[]): Promise<void>;
  /** As the engine was last told. */
  secret(name: string): SecretJson | undefined;
}

export async function startNode(
  options: { data: string; ca?: CaChoice; lifeMs?: number; log?: Log; yaml?: string },
  names: readonly string[] = ['ROOTCA', 'default'],
): Promise<Node> {
  const { data, ca = { directory: undefined, passphrase: undefined }, lifeMs, log = silentLog } = options;
  const engine = createFakeEngine();
  const mesh = await meshOf(WEB + (options.yaml ?? ''));
  const proxy = proxiesOf(mesh, { addresses: [], pods: 'none' }).find(({ name }) => name === 'web');
  if (!proxy) throw new Error('there is no proxy');
  const identity = createIdentity({
    dataDirectory: data,
    engine,
    openIssuer: (trustDomain) => openIssuer(ca, data, trustDomain, log),
    caName: caName(ca, data),
    lifeMs,
    log,
  });
  const snapshotOf = (secrets: readonly string[]): Snapshot => ({
    version: secrets.join(),
    proxy,
    listeners: secrets.map(
      (name): ListenerJson => ({
        name,
        filterChains: [
          {
            transportSocket: {
              name: 'envoy.transport_sockets.tls',
              typedConfig: typed('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
                commonTlsContext: { tlsCertificateSdsSecretConfigs: [{ name, sdsConfig: { ads: {} } }] },
              }),
            },
          },
        ],
      }),
    ),
    routes: [],
    clusters: [],
    endpoints: [],
    problems: [],
  });
  await identity.provide(mesh, [snapshotOf(names)]);
  return {
    identity,
    engine,
    mesh,
    id: proxy.id,
    name: (...secrets) => identity.provide(mesh, [snapshotOf(secrets)]),
    secret: (name) => engine.secrets.get(proxy.id)?.find((s) => s.name === name),
  };
}
