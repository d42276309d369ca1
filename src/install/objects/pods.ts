/** What all pods of an installation have in common. They satisfy the Pod Security Standard `restricted`. */
import type { Placement, Settings } from '../settings/resolve.ts';

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

/** The only places that can be written, besides volumes: Node's compiled code and temporary files. */
export const scratchVolume = { name: 'tmp', emptyDir: {} };
export const scratchMount = { name: 'tmp', mountPath: '/tmp' };
export const scratchEnvironment = [
  { name: 'HOME', value: '/tmp' },
  { name: 'XDG_CACHE_HOME', value: '/tmp/cache' },
];
