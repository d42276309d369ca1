/** What the agent would give each proxy of a case: its own certificate, what it trusts, files and Kubernetes Secrets. */
import { readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { type FindSecret, isResourceSecret, resourceSecret } from '../../../agent/identity/resource-secrets.ts';
import type { Secret } from '../../../src/config/kinds/kubernetes.ts';
import { secretNames } from '../../../src/envoy/secret-names.ts';
import type { Snapshot } from '../../../src/envoy/snapshot.ts';
import { dnsNamesOf, identityOf } from '../../../src/mesh/identity.ts';
import type { Mesh, ProxyNode } from '../../../src/mesh/types.ts';
import { makeCertificate, rootOf } from './authorities.ts';
import type { KeyFiles } from './types.ts';

const own = new Map<string, Promise<KeyFiles>>();

/** The certificate of a workload, the same for all cases of a process. */
function workloadCertificate(uri: string, dns: readonly string[]): Promise<KeyFiles> {
  const id = [uri, ...dns].join(' ');
  const known = own.get(id) ?? makeCertificate('workload', { uri, dns });
  own.set(id, known);
  return known;
}

const pairSecret = (name: string, chain: string, key: string): SecretJson => ({
  name,
  tlsCertificate: { certificateChain: { inlineString: chain }, privateKey: { inlineString: key } },
});
const rootSecret = (name: string, ca: string, crl?: string): SecretJson => ({
  name,
  validationContext: { trustedCa: { inlineString: ca }, ...(crl && { crl: { inlineString: crl } }) },
});

/** By the agent's own rules: other namespaces need a ReferenceGrant. */
function namedSecret(name: string, mesh: Mesh, { namespace }: ProxyNode): SecretJson | undefined {
  const find: FindSecret = (kind, of, wanted) =>
    mesh.ofKind<Secret>(kind).find(({ metadata }) => metadata.namespace === of && metadata.name === wanted);
  const made = resourceSecret(name, namespace, find, mesh.ofKind('gateway.networking.k8s.io/ReferenceGrant'));
  return 'secret' in made ? made.secret : undefined;
}

async function secretOf(name: string, mesh: Mesh, proxy: ProxyNode): Promise<SecretJson | undefined> {
  if (name === 'default') {
    const { chain, key } = await workloadCertificate(identityOf(proxy, mesh.config), dnsNamesOf(proxy));
    return pairSecret(name, chain, key);
  }
  if (name === 'ROOTCA') return rootSecret(name, (await rootOf('mesh')).certificate.pem);
  if (name === 'file-root:system') return rootSecret(name, getCACertificates('default').join('\n'));
  if (name.startsWith('file-root:')) return rootSecret(name, readFileSync(name.slice('file-root:'.length), 'utf8'));
  if (name.startsWith('file-cert:')) {
    const [chain = '', key = ''] = name.slice('file-cert:'.length).split('~');
    return pairSecret(name, readFileSync(chain, 'utf8'), readFileSync(key, 'utf8'));
  }
  return isResourceSecret(name) ? namedSecret(name, mesh, proxy) : undefined;
}

/** By the names of the snapshots; what does not exist is left out. */
export async function secretsOf(mesh: Mesh, snapshots: ReadonlyMap<string, Snapshot>): Promise<Map<string, readonly SecretJson[]>> {
  const out = new Map<string, readonly SecretJson[]>();
  for (const [name, snapshot] of snapshots) {
    const secrets = await Promise.all(secretNames(snapshot).map((secret) => secretOf(secret, mesh, snapshot.proxy)));
    out.set(
      name,
      secrets.filter((s) => s !== undefined),
    );
  }
  return out;
}
