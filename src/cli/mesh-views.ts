/** Views of the proxies of one mesh: which one judges a request, and its config, computed once a proxy. */
import { buildSnapshot } from '../envoy/build.ts';
import { FairleadError, type Problem } from '../errors.ts';
import { createLocator } from '../explain/locator.ts';
import { createMeshSides } from '../explain/mesh-side.ts';
import { servesHost } from '../explain/serves-host.ts';
import { type ProxyView, viewOfSnapshot } from '../explain/view.ts';
import { gatewayProxies } from '../mesh/gateway-proxies.ts';
import { findProxy } from '../mesh/proxies.ts';
import type { Mesh, ProxyNode } from '../mesh/types.ts';

/** Who sends a request, who gets it, or the gateway that it comes through; at most one of them. */
export interface ProxyChoice {
  from?: string | undefined;
  to?: string | undefined;
  gateway?: string | undefined;
}

export interface ChosenView {
  readonly view: ProxyView;
  /** What should be said of the choice of the proxy. */
  readonly notes: readonly string[];
  /** What of the configuration is not carried out. */
  readonly problems: readonly Problem[];
}

export interface MeshViews {
  /**
   * The proxy that is named; without a name the implied client, unless a gateway alone knows the host. Throws E_PROXY_UNKNOWN.
   */
  choose(choice: ProxyChoice, host: string | undefined): ChosenView;
}

/** The implied client: what a shell without a workload of its own is. */
const CLIENT = 'client.default';

/** @param source what the mesh was read from, for people */
export function meshViews(mesh: Mesh, source: string): MeshViews {
  const opened = new Map<string, ChosenView>();
  const sides = createMeshSides(mesh, (proxy) => open(proxy).view);
  const open = (proxy: ProxyNode): ChosenView => {
    const key = `${proxy.type} ${proxy.name}.${proxy.namespace}`;
    let known = opened.get(key);
    if (known === undefined) {
      const snapshot = buildSnapshot(mesh, proxy);
      const view = viewOfSnapshot(snapshot, source, createLocator(mesh, proxy.namespace), sides.of(proxy));
      known = { view, notes: [], problems: [...mesh.problems, ...snapshot.problems] };
      opened.set(key, known);
    }
    return known;
  };
  const chosen = new Map<string, ChosenView>();
  // Finding a proxy means looking at every workload.
  let client: ChosenView | undefined;
  let gateways: readonly ProxyNode[] | undefined;
  /** The implied client, unless a gateway alone knows the host. */
  const byHost = (host: string | undefined): ChosenView => {
    client ??= open(workload(mesh, CLIENT));
    if (host === undefined || servesHost(client.view, host)) return client;
    gateways ??= gatewayProxies(mesh);
    for (const gateway of gateways) {
      const known = open(gateway);
      if (!servesHost(known.view, host)) continue;
      const note = `inside the mesh nothing is called ${host}: the gateway ${known.view.proxy} serves it, so the request is taken to come from outside`;
      return { ...known, notes: [note] };
    }
    return client;
  };
  return {
    choose(choice, host) {
      const named = choice.from ?? choice.to;
      const key = JSON.stringify([named, choice.gateway, (named ?? choice.gateway) === undefined ? host : '']);
      let known = chosen.get(key);
      if (known === undefined) {
        known =
          named !== undefined
            ? open(workload(mesh, named))
            : choice.gateway !== undefined
              ? open(gatewayProxy(mesh, choice.gateway))
              : byHost(host);
        chosen.set(key, known);
      }
      return known;
    },
  };
}

function workload(mesh: Mesh, name: string): ProxyNode {
  const found = findProxy(mesh, name);
  if (!('candidates' in found)) return found;
  const several = found.candidates.length > 1 && found.candidates.every((c) => c === name || c.startsWith(`${name}.`));
  throw new FairleadError(
    'E_PROXY_UNKNOWN',
    several ? `${name} is the name of several workloads` : `there is no workload ${name} in this configuration`,
    {
      next: `There are: ${some(found.candidates)}.`,
    },
  );
}

/** By the name of a Gateway (`NAME`, `NAMESPACE/NAME`, `NAME.NAMESPACE`) or of the proxy that serves it. */
function gatewayProxy(mesh: Mesh, name: string): ProxyNode {
  const proxies = gatewayProxies(mesh);
  const own = proxies.find((p) => p.name === name || `${p.name}.${p.namespace}` === name || p.workload.workloadName === name);
  if (own !== undefined) return own;
  const serving = proxies.find((p) =>
    mesh
      .scope(p)
      .gateways.some(({ resource: { metadata: m } }) => [m.name, `${m.namespace}/${m.name}`, `${m.name}.${m.namespace}`].includes(name)),
  );
  if (serving !== undefined) return serving;
  const gateways = [...new Set(mesh.gateways.map(({ resource: g }) => `${g.metadata.name}.${g.metadata.namespace}`))];
  throw new FairleadError('E_PROXY_UNKNOWN', `there is no gateway ${name} in this configuration`, {
    next: gateways.length === 0 ? 'It has no Gateway at all.' : `There are: ${some(gateways)}.`,
  });
}

const MOST = 20;
const some = (names: readonly string[]): string =>
  names.length <= MOST ? names.join(', ') : `${names.slice(0, MOST).join(', ')} and ${names.length - MOST} more`;
