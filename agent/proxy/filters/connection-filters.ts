import type { ConnectionFilterFactory } from './connection-filter.ts';
import { createNetworkExtAuthz } from './network-ext-authz.ts';
import { createNetworkRbac } from './network-rbac.ts';

const PACKAGE = 'type.googleapis.com/envoy.extensions.filters.network';

/** Every network filter that may stand in front of tcp_proxy, by its configuration's type; others are refused. */
export const CONNECTION_FILTERS: Readonly<Record<string, ConnectionFilterFactory>> = {
  [`${PACKAGE}.rbac.v3.RBAC`]: createNetworkRbac,
  [`${PACKAGE}.ext_authz.v3.ExtAuthz`]: createNetworkExtAuthz,
};
