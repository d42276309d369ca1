import type { Settings } from '../settings/resolve.ts';

/** Of the revision that has no name, in labels. */
export const DEFAULT_REVISION = 'default';
/** Where the agents look for MeshConfig, and Istio's own have it. */
export const MESH_CONFIG_MAP = 'istio';
export const ROOTS_CONFIG_MAP = 'fairlead-ca-roots';
export const CA_NAME = 'fairlead-ca';
export const WEBHOOK_NAME = 'fairlead-webhook';
export const CA_PORT = 15012;
/** What tokens of service accounts are meant for, as with Istio's CA. */
export const TOKEN_AUDIENCE = 'istio-ca';

type Who = Pick<Settings, 'revision'>;

/** `NAME`, or `NAME-REVISION`. */
export const revisioned = ({ revision }: Who, name: string): string => (revision === '' ? name : `${name}-${revision}`);

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
