import type { RouterJson } from '#envoy-api/envoy/extensions/filters/http/router/v3/router_pb.js';
import type { RouterSettings } from '../http/connection-manager.ts';

/** Reads the router filter's configuration; what is refused of it is in unsupported.ts. */
export function readRouterSettings(config: RouterJson): RouterSettings {
  return { suppressEnvoyHeaders: config.suppressEnvoyHeaders === true };
}
