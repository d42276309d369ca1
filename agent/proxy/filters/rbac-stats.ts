import type { StatsRegistry } from '../types.ts';

/** Counters of an RBAC filter. */
export interface RbacStats {
  enforced(allowed: boolean): void;
  shadow(allowed: boolean): void;
  logged(yes: boolean): void;
}

/** @param prefix `http.inbound.`, `tcp.`: what stands before `rbac.` */
export function createRbacStats(stats: StatsRegistry, prefix: string, rulesPrefix: string, shadowPrefix: string): RbacStats {
  const rules = joined(`${joined(prefix)}rbac.`, rulesPrefix);
  const shadow = joined(`${joined(prefix)}rbac.`, shadowPrefix);
  const allowed = stats.counter(`${rules}allowed`);
  const denied = stats.counter(`${rules}denied`);
  const logged = stats.counter(`${rules}logged`);
  const notLogged = stats.counter(`${rules}not_logged`);
  const shadowAllowed = stats.counter(`${shadow}shadow_allowed`);
  const shadowDenied = stats.counter(`${shadow}shadow_denied`);
  return {
    enforced: (yes) => (yes ? allowed : denied).inc(),
    shadow: (yes) => (yes ? shadowAllowed : shadowDenied).inc(),
    logged: (yes) => (yes ? logged : notLogged).inc(),
  };
}

/** Envoy: a prefix ends in a dot, whether it is written or not. */
function joined(prefix: string, more = ''): string {
  const both = prefix + more;
  return both === '' || both.endsWith('.') ? both : `${both}.`;
}
