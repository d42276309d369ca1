/** What all pods of an installation have in common. They satisfy the Pod Security Standard `restricted`, but for the folder of the node that its agent has. */
import type { Placement, Settings } from '../settings/resolve.ts';
import { ROOTS_CONFIG_MAP, TOKEN_AUDIENCE } from './names.ts';

/** The image's user; see deploy/Dockerfile. */
export const USER = 10001;

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted */
export const podSecurity = {
  runAsNonRoot: true,
  runAsUser: USER,
  runAsGroup: USER,
  fsGroup: USER,
  fsGroupChangePolicy: 'OnRootMismatch',
  seccompProfile: { type: 'RuntimeDefault' },
};

export const containerSecurity = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

/** The image, and when it is pulled. */
export function imageOf({ image, imagePullPolicy }: Settings): object {
  return { image, ...(imagePullPolicy === undefined ? {} : { imagePullPolicy }) };
}

export const placementFields = (placement: Placement): object => ({
  ...(placement.nodeSelector === undefined ? {} : { nodeSelector: placement.nodeSelector }),
  ...(placement.tolerations === undefined ? {} : { tolerations: placement.tolerations }),
  ...(placement.priorityClassName === undefined ? {} : { priorityClassName: placement.priorityClassName }),
});

export const pullSecrets = ({ imagePullSecrets }: Settings): object =>
  imagePullSecrets.length === 0 ? {} : { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) };

/** Who it runs as, and where. */
export const podFields = (settings: Settings, serviceAccountName: string, placement: Placement): object => ({
  serviceAccountName,
  automountServiceAccountToken: true,
  securityContext: podSecurity,
  ...pullSecrets(settings),
  ...placementFields(placement),
});

/** Whatever injects sidecars leaves these pods alone. */
export const NO_SIDECAR = { 'sidecar.istio.io/inject': 'false' };

const fieldOf = (name: string, fieldPath: string): object => ({ name, valueFrom: { fieldRef: { fieldPath } } });

/** Whose reports an agent writes. A host's name would do, but is cut off at 63 characters. */
export const podEnvironment = [
  fieldOf('POD_NAME', 'metadata.name'),
  fieldOf('POD_NAMESPACE', 'metadata.namespace'),
  fieldOf('POD_UID', 'metadata.uid'),
];
export const nodeEnvironment = fieldOf('NODE_NAME', 'spec.nodeName');

/** For Prometheus. */
export const metricsAnnotations = (port: number): Record<string, string> => ({
  'prometheus.io/scrape': 'true',
  'prometheus.io/port': String(port),
  'prometheus.io/path': '/stats/prometheus',
});

const rootsItem = (file: string, more: object = {}): object => ({
  configMap: { name: ROOTS_CONFIG_MAP, items: [{ key: file, path: file }], ...more },
});

/** The CA's roots, as it publishes them: `root-cert.pem`, for which a pod waits, and `trust.json`, which an older CA does not write. */
export const rootsVolume = {
  name: 'roots',
  projected: { sources: [rootsItem('root-cert.pem'), rootsItem('trust.json', { optional: true })] },
};

/** A token of the pod's service account that is for the CA alone: `istio-token`. */
export const caTokenVolume = {
  name: 'token',
  projected: { sources: [{ serviceAccountToken: { path: 'istio-token', audience: TOKEN_AUDIENCE, expirationSeconds: 43200 } }] },
};

/** The only places that can be written, besides volumes: Node's compiled code and temporary files. */
export const scratchVolume = { name: 'tmp', emptyDir: {} };
export const scratchMount = { name: 'tmp', mountPath: '/tmp' };
export const scratchEnvironment = [
  { name: 'HOME', value: '/tmp' },
  { name: 'XDG_CACHE_HOME', value: '/tmp/cache' },
];
