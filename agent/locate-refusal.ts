/** Which line of the configuration is behind what an engine refuses: who asked for a port, who made a cluster or a route. */
import type { Sidecar } from '../src/config/kinds/networking.ts';
import { type FieldPath, formatPath, originOf, type Resource } from '../src/config/resource.ts';
import type { Snapshot } from '../src/envoy/snapshot.ts';
import type { Problem } from '../src/errors.ts';
import { GATEWAY_API } from '../src/mesh/gateway-api/objects.ts';
import { gatewaysOf } from '../src/mesh/gateways.ts';
import type { Mesh, ProxyNode } from '../src/mesh/types.ts';
import { originOfRefused } from './locate-origin.ts';

const PORT_ANNOTATION = 'fairlead.dev/http-proxy-port';
const INTERCEPTION_MODE = 'sidecar.istio.io/interceptionMode';

/** What privileged gateway ports become where no Service says otherwise, as with the Service of Istio's own gateway. */
const translated = (port: number): number => (port === 80 ? 8080 : port === 443 ? 8443 : port < 1024 ? port + 8000 : port);

/** Adds proxy, position and a fitting hint to what the engine said of one proxy's resources. */
export function locateRefusal(problems: readonly Problem[], snapshot: Snapshot, mesh: Mesh | undefined): Problem[] {
  const { proxy } = snapshot;
  return problems.map((problem) => {
    const name = /^listener (.+)$/.exec(problem.origin ?? '')?.[1];
    const listener = snapshot.listeners.find((l) => l.name === name);
    const port = Number(listener?.address?.socketAddress?.portValue ?? 0);
    const message = `proxy ${proxy.name}.${proxy.namespace}: ${problem.message}`;
    if (problem.position || !mesh) return { ...problem, message };
    if (problem.rule === 'unsupported/interception') return { ...problem, message, ...interceptionAskedBy(proxy) };
    const refused = originOfRefused(problem.origin ?? '', problem.message, snapshot, mesh);
    if (refused) {
      const { resource, path } = refused;
      return { ...problem, message, origin: originOf(resource), path: formatPath(path), position: resource.source.positionOf(path) };
    }
    if (!listener || !port) return { ...problem, message };
    const asked = whoAsked(proxy, port, mesh);
    if (!asked) return { ...problem, message };
    const { resource, path, hint } = asked;
    const bind = problem.rule.startsWith('listener/');
    return {
      ...problem,
      message,
      origin: originOf(resource),
      path: formatPath(path),
      position: resource.source.positionOf(path),
      ...(bind ? { hint: `${problem.rule === 'listener/port-in-use' ? 'end what listens there, or ' : ''}${hint}` } : {}),
    };
  });
}

/** Where a workload asks for its connections to be redirected. Pods do so by being pods. */
function interceptionAskedBy({ workload: { resource, annotations } }: ProxyNode): Partial<Problem> {
  const hint = `run the agent with --engine envoy, or annotate it with ${INTERCEPTION_MODE}: NONE`;
  if (resource === undefined) return { hint };
  const path = Object.hasOwn(annotations, INTERCEPTION_MODE) ? ['metadata', 'annotations', INTERCEPTION_MODE] : ['metadata', 'name'];
  return { hint, origin: originOf(resource), path: formatPath(path), position: resource.source.positionOf(path) };
}

interface Asked {
  resource: Resource;
  path: FieldPath;
  hint: string;
}

function whoAsked(proxy: ProxyNode, port: number, mesh: Mesh): Asked | undefined {
  if (proxy.type === 'router') return serverOf(proxy, port, mesh);
  const { resource, annotations } = proxy.workload;
  if (port !== proxy.httpProxyPort) return egressOf(port, mesh);
  if (!resource) return undefined;
  const own = Object.hasOwn(annotations, PORT_ANNOTATION);
  return {
    resource,
    path: own ? ['metadata', 'annotations', PORT_ANNOTATION] : ['metadata', 'name'],
    hint: `give the workload's HTTP proxy another port: annotation ${PORT_ANNOTATION}: "PORT"`,
  };
}

function serverOf(proxy: ProxyNode, port: number, mesh: Mesh): Asked | undefined {
  const servers = gatewaysOf(mesh.gateways, proxy).flatMap(({ resource, spec, serverPath }) =>
    (spec.servers ?? []).map((server, i) => {
      const field = resource.group === GATEWAY_API ? ['port'] : ['port', 'number'];
      return { number: Number(server.port?.number), resource, path: [...serverPath(i), ...field] };
    }),
  );
  const found = servers.find((s) => s.number === port) ?? servers.find((s) => translated(s.number) === port);
  return found && { resource: found.resource, path: found.path, hint: 'give the server another port number' };
}

function egressOf(port: number, mesh: Mesh): Asked | undefined {
  for (const resource of mesh.ofKind<Sidecar>('Sidecar')) {
    for (const side of ['egress', 'ingress'] as const) {
      const index = (resource.spec[side] ?? []).findIndex((l) => Number(l.port?.number) === port);
      if (index >= 0) return { resource, path: ['spec', side, index, 'port', 'number'], hint: 'give the listener another port number' };
    }
  }
  return undefined;
}
