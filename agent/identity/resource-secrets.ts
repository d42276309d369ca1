/** Secrets of the configuration: what `kubernetes://NAME` means to a proxy. Istio's pilot/pkg/credentials/kube has the same keys and order. */
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import type { Secret } from '../../src/config/kinds/kubernetes.ts';
import type { Resource } from '../../src/config/resource.ts';
import { certificateFault, rootsFault } from './check-secret.ts';

/** How resources are found. */
export type FindSecret = (namespace: string, name: string) => Resource<Secret> | undefined;

export type Made = { secret: SecretJson } | { problem: string };

const PREFIX = /^kubernetes(?:-gateway)?:\/\//;
const CA = '-cacert';

export const isResourceSecret = (name: string): boolean => PREFIX.test(name);

/** Looked for in the proxy's namespace: its service account may read no other. */
export function resourceSecret(name: string, namespace: string, find: FindSecret): Made {
  const path = name.replace(PREFIX, '');
  const [own, other] = path.split('/') as [string, string | undefined];
  if (other !== undefined && own !== namespace) return { problem: `Secrets of the namespace ${own} are not for proxies of ${namespace}` };
  const wanted = other ?? own;
  const found = find(namespace, wanted);
  if (!wanted.endsWith(CA)) return found ? certificate(name, found) : { problem: `there is no Secret ${namespace}/${wanted}` };
  const pair = wanted.slice(0, -CA.length);
  const holder = found ?? find(namespace, pair);
  return holder ? roots(name, holder) : { problem: `there is no Secret ${namespace}/${wanted} or ${namespace}/${pair}` };
}

function certificate(name: string, resource: Resource<Secret>): Made {
  const value = valuesOf(resource.spec);
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
  const value = valuesOf(resource.spec);
  const trusted = value('cacert') || value('ca.crt');
  if (!trusted) return { problem: `${called(resource)} has no ca.crt (or cacert)` };
  const fault = rootsFault(trusted);
  if (fault) return { problem: `${called(resource)}: ${fault}` };
  const crl = value('crl') || value('ca.crl');
  return { secret: { name, validationContext: { trustedCa: { inlineString: trusted }, ...(crl ? { crl: { inlineString: crl } } : {}) } } };
}

const called = ({ metadata }: Resource): string => `the Secret ${metadata.namespace}/${metadata.name}`;

/** `stringData` goes before `data`, as when the API server merges them. */
function valuesOf({ data, stringData }: Secret): (key: string) => string {
  return (key) => stringData?.[key] ?? Buffer.from(data?.[key] ?? '', 'base64').toString('utf8');
}
