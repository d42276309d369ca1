import type { AuthorizationPolicy } from '../../config/kinds/security.ts';
import type { Resource } from '../../config/resource.ts';
import type { Mesh } from '../../mesh/types.ts';
import { isFor, policySummary, rulesOf, selectorOf, shadowOf, targetsOf } from '../policies.ts';
import { type Around, isReal, names, servicePorts, type Touched } from '../touched.ts';
import { flat } from '../traffic-policy.ts';
import type { Shadow } from '../types.ts';

export function policy(resource: Resource, { mesh, proxies }: Around): Touched {
  const targets = targetsOf(resource);
  const summary = policySummary(resource);
  if (targets.length > 0) {
    const shadows = targets.map(
      (t): Shadow => ({ why: `it is attached to ${t.kind} ${t.name}: what a targetRef names is not looked at here` }),
    );
    return { summary, state: 'ignored', shadows };
  }
  // Routers are workloads as well; implied ones stand for gateways that are not declared here.
  const meant = proxies.filter((p) => (isReal(p) || p.type === 'router') && isFor(resource, p, mesh));
  const fates = meant.map((proxy) => ({ proxy, shadow: shadowOf(resource, proxy, mesh) }));
  const acting = fates.filter((f) => f.shadow === undefined).map((f) => f.proxy);
  const groups = Map.groupBy(
    fates.filter((f) => f.shadow !== undefined),
    (f) => `${f.shadow!.why} ${f.shadow!.by?.config}`,
  );
  const shadows = [...groups.values()].map(
    (of): Shadow => ({ ...of[0]!.shadow!, why: `${names(of.map((f) => f.proxy)).join(', ')}: ${of[0]!.shadow!.why}` }),
  );
  if (meant.length === 0)
    shadows.push({
      why: `no workload ${Object.keys(selectorOf(resource)).length > 0 ? `has the labels ${flat(selectorOf(resource))}` : 'is in its namespace'}`,
    });
  const services = servicePorts();
  for (const proxy of acting) for (const { service, port } of mesh.scope(proxy).instances) services.note(`${service.host}:${port.number}`);
  return {
    summary,
    state: acting.length === 0 ? 'ignored' : shadows.length > 0 ? 'partly' : 'acts',
    shadows,
    workloads: names(acting),
    services: services.list(),
    ...(resource.kind === 'AuthorizationPolicy' && { facts: ruleFacts(resource as Resource<AuthorizationPolicy>, mesh) }),
  };
}

/** Its rules in words, with their places. */
const ruleFacts = (policy: Resource<AuthorizationPolicy>, mesh: Mesh): (readonly [string, string])[] =>
  rulesOf(policy, mesh).map(({ text, origin }, i) => [
    `rule ${i + 1}`,
    `${text}${origin.file === undefined || origin.line === 0 ? '' : ` (${origin.file}:${origin.line}:${origin.column})`}`,
  ]);
