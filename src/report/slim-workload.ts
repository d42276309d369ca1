/** Pods and their templates without what containers are told: values of environment variables, and the command lines of applications. */
import { REDACTED } from './redact-text.ts';

type Json = Record<string, unknown>;

/** Variables of proxies and control planes; the names that are secret among them are redacted as everywhere. */
const MESH_VARIABLE = /^(?:ISTIO_|PILOT_|PROXY_CONFIG$|CA_ADDR$|TRUST_DOMAIN$|CLUSTER_ID$|REVISION$|FAIRLEAD_|NODE_NAME$|POD_)/;
/** kubectl's copy of a whole object. */
const COPY = 'kubectl.kubernetes.io/last-applied-configuration';
const COMMANDS = new Set(['command', 'args']);

/** A copy; `count` is how many values were taken out. */
export function slimWorkload(value: unknown): { value: unknown; count: number } {
  let count = 0;
  const walk = (from: unknown): unknown => {
    if (Array.isArray(from)) return from.map(walk);
    if (from === null || typeof from !== 'object') return from;
    const own = from as Json;
    const isApplication = typeof own['name'] === 'string' && typeof own['image'] === 'string' && !isMesh(own);
    return Object.fromEntries(
      Object.entries(own).map(([key, inner]) => {
        if (key === COPY) {
          count += 1;
          return [key, REDACTED];
        }
        if (key === 'env' && Array.isArray(inner)) return [key, inner.map(variable)];
        if (isApplication && COMMANDS.has(key) && Array.isArray(inner)) {
          count += inner.length;
          return [key, [REDACTED]];
        }
        return [key, walk(inner)];
      }),
    );
  };
  const variable = (from: Json): Json => {
    if (typeof from['value'] !== 'string' || from['value'] === '' || MESH_VARIABLE.test(String(from['name']))) return from;
    count += 1;
    return { ...from, value: REDACTED };
  };
  return { value: walk(value), count };
}

/** Proxies, control planes, and their init containers. */
function isMesh({ name, args }: Json): boolean {
  const [first] = Array.isArray(args) ? args : [];
  return /^(?:istio-|discovery$)/.test(String(name)) || ['agent', 'ca', 'webhook', 'proxy'].includes(first as string);
}
