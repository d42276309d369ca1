import type { Settings } from '../settings/resolve.ts';

/** Of the revision that has no name, in labels. */
export const DEFAULT_REVISION = 'default';
/** Where the agents look for MeshConfig, and Istio's own have it. */
export const MESH_CONFIG_MAP = 'istio';
export const ROOTS_CONFIG_MAP = 'fairlead-ca-roots';
export const CA_NAME = 'fairlead-ca';
export const WEBHOOK_NAME = 'fairlead-webhook';
export const AGENT_NAME = 'fairlead-agent';
export const CA_PORT = 15012;
/** Among the CA's pods: open while one leads. */
export const CA_PEER_PORT = 15013;
/** The Secret with the CA's keys and state, and the Lease of the pod that leads. */
export const CA_STATE = 'fairlead-ca-state';
/** Of CertificateSigningRequests for certificates of the mesh. */
export const SIGNER_NAME = 'fairlead.dev/mesh';
/** What tokens of service accounts are meant for, as with Istio's CA. */
export const TOKEN_AUDIENCE = 'istio-ca';

/** What tokens of pods are meant for that they show to the agent of their node. */
export const POD_TOKEN_AUDIENCE = 'fairlead-agent';
/** Where the agent of a node listens for its pods: the path in its own container and in theirs. */
export const POD_SOCKET = '/var/run/fairlead/agent/pods.sock';

type Who = Pick<Settings, 'revision'>;

/** `NAME`, or `NAME-REVISION`. */
export const revisioned = ({ revision }: Who, name: string): string => (revision === '' ? name : `${name}-${revision}`);

/** The DaemonSet of an installation's agents, and its service account. */
export const agentAccount = (who: Who): string => revisioned(who, AGENT_NAME);

/** The folder of a node in which the socket is: one for each installation. */
export const agentFolder = (who: Who & Pick<Settings, 'namespace'>): string =>
  `/var/run/fairlead/${who.namespace}/${revisioned(who, 'agent')}`;

/** The inventory of an installation. */
export const inventoryName = (who: Who): string => revisioned(who, 'fairlead-inventory');

/** Labels of every object that is made. */
export function labelsOf(component: string, who: Who, version: string): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'fairlead',
    'app.kubernetes.io/instance': revisioned(who, 'fairlead'),
    'app.kubernetes.io/component': component,
    'app.kubernetes.io/part-of': 'fairlead',
    'app.kubernetes.io/managed-by': 'fairlead',
    'app.kubernetes.io/version': version,
  };
}
