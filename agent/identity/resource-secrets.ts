/** Secrets of the configuration: what `kubernetes://NAME` means to a proxy. Istio's pilot/pkg/credentials/kube has the same keys and order. */
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import type { ReferenceGrant } from '../../src/config/kinds/gateway-api.ts';
import type { Secret } from '../../src/config/kinds/kubernetes.ts';
import type { Resource } from '../../src/config/resource.ts';
import { isGranted } from '../../src/mesh/gateway-api/grants.ts';
import { GATEWAY_API } from '../../src/mesh/gateway-api/objects.ts';
import { certificateFault, rootsFault } from './check-secret.ts';

/** How resources are found. A ConfigMap's `data` is text; it is read as a Secret's `stringData`. */
export type FindSecret = (kind: 'Secret' | 'ConfigMap', namespace: string, name: string) => Resource<Secret> | undefined;

export type Made = { secret: SecretJson } | { problem: string };

const PREFIX = /^(?:kubernetes|kubernetes-gateway|configmap):\/\//;
const CA = '-cacert';

export const isResourceSecret = (name: string): boolean => PREFIX.test(name);

/**
 * Looked for in the proxy's namespace: its service account may read no other. Secrets of other namespaces, as the Gateway API names them, are
 * for those that a ReferenceGrant names.
 */
export function resourceSecret(name: string, namespace: string, find: FindSecret, grants: readonly Resource<ReferenceGrant>[] = []): Made {
  const kind = name.startsWith('configmap:') ? 'ConfigMap' : 'Secret';
  const path = name.replace(PREFIX, '');
  const [own, other] = path.split('/') as [string, string | undefined];
  // CA certificates are public; keys are not.
  if (other !== undefined && own !== namespace && kind === 'Secret' && !isGatewayGranted(name, namespace, [own, other], grants))
    return { problem: `Secrets of the namespace ${own} are not for proxies of ${namespace}` };
  const [wanted, where] = [other ?? own, other === undefined ? namespace : own];
  const found = find(kind, where, wanted);
  if (kind === 'ConfigMap') return found ? roots(name, found) : { problem: `there is no ConfigMap ${where}/${wanted}` };
  if (!wanted.endsWith(CA)) return found ? certificate(name, found) : { problem: `there is no Secret ${where}/${wanted}` };
  const pair = wanted.slice(0, -CA.length);
  const holder = found ?? find('Secret', where, pair);
  return holder ? roots(name, holder) : { problem: `there is no Secret ${where}/${wanted} or ${where}/${pair}` };
}

function isGatewayGranted(
  written: string,
  proxyNamespace: string,
  [namespace, name]: readonly [string, string],
  grants: readonly Resource<ReferenceGrant>[],
): boolean {
  const from = { group: GATEWAY_API, kind: 'Gateway', namespace: proxyNamespace };
  return written.startsWith('kubernetes-gateway:') && isGranted(grants, { from, to: { group: '', kind: 'Secret', namespace, name } });
}

function certificate(name: string, resource: Resource<Secret>): Made {
  const value = valuesOf(resource);
  const [chain, key] = value('cert') && value('key') ? [value('cert'), value('key')] : [value('tls.crt'), value('tls.key')];
  if (!chain || !key) return { problem: `${called(resource)} has no ${chain ? 'tls.key (or key)' : 'tls.crt (or cert)'}` };
  const fault = certificateFault(chain, key);
  if (fault) return { problem: `${called(resource)}: ${fault}` };
  const staple = resource.spec.data?.['tls.ocsp-staple'];
  return {
    secret: {
      name,
      tlsCertificate: {
        certificateChain: { inlineString: chain },
        privateKey: { inlineString: key },
        ...(staple ? { ocspStaple: { inlineBytes: staple } } : {}),
      },
    },
  };
}

function roots(name: string, resource: Resource<Secret>): Made {
  const value = valuesOf(resource);
  const trusted = value('cacert') || value('ca.crt');
  if (!trusted) return { problem: `${called(resource)} has no ca.crt (or cacert)` };
  const fault = rootsFault(trusted);
  if (fault) return { problem: `${called(resource)}: ${fault}` };
  const crl = value('crl') || value('ca.crl');
  return { secret: { name, validationContext: { trustedCa: { inlineString: trusted }, ...(crl ? { crl: { inlineString: crl } } : {}) } } };
}

const called = ({ kind, metadata }: Resource): string => `the ${kind} ${metadata.namespace}/${metadata.name}`;

/** `stringData` goes before `data`, as when the API server merges them. */
function valuesOf({ kind, spec: { data, stringData } }: Resource<Secret>): (key: string) => string {
  if (kind === 'ConfigMap') return (key) => data?.[key] ?? '';
  return (key) => stringData?.[key] ?? Buffer.from(data?.[key] ?? '', 'base64').toString('utf8');
}
