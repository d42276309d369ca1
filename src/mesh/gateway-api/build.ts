import type { HTTPRetry } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import type { GatewayView, Service, VirtualServiceView } from '../types.ts';
import { controllerOf, ownerOf } from './classes.ts';
import type { Fault } from './conditions.ts';
import { gatewayView } from './gateway-views.ts';
import { grpcRules } from './grpc-rules.ts';
import { httpRules, type RouteInputs } from './http-rules.ts';
import { layer4Targets, type TakenNames, tcpView, tlsView } from './layer4-views.ts';
import { type ApiListener, readListeners } from './listeners.ts';
import { type GatewayApiObjects, nameOf, type Route } from './objects.ts';
import { type ParentInputs, type ParentState, parentStates } from './routes.ts';
import type { RuleEntry, TranslatedRules } from './rules.ts';
import { Attachments, isolated } from './views.ts';

/** A Gateway of the Gateway API, and who serves it. */
export interface GatewayState {
  readonly gateway: Resource<GatewayApiObjects['gateways'][number]['spec']>;
  readonly owner: ReturnType<typeof ownerOf>;
  /** Of its class; undefined: there is no such class. */
  readonly controller: string | undefined;
  /** Of Gateways that are served here; else none are read. */
  readonly listeners: readonly ApiListener[];
}

/** A route of any kind, and what became of it. */
export interface RouteState {
  readonly route: Resource<Route>;
  readonly parents: readonly ParentState[];
  /** Of its rules: references that lead nowhere, filters that are not carried out. */
  readonly faults: readonly Fault[];
}

/** The Gateway API's part of a mesh, as the model has it. */
export interface GatewayApi {
  readonly gateways: readonly GatewayState[];
  readonly routes: readonly RouteState[];
  /** Listeners as Gateways, and what is attached to them (and to Services) as VirtualServices. */
  readonly gatewayViews: readonly GatewayView[];
  readonly views: readonly VirtualServiceView[];
}

/** What the translation looks at besides the objects. */
export interface GatewayApiInputs {
  readonly byHost: ReadonlyMap<string, readonly Service[]>;
  readonly domain: string;
  readonly retries: HTTPRetry | undefined;
}

const inMesh = 'mesh';

/** The port that a redirect without one has to name: the listener's, unless it is its protocol's own. */
function redirectPort({ spec }: ApiListener): number | undefined {
  const own = spec.protocol === 'HTTPS' ? 443 : 80;
  return spec.port === own ? undefined : spec.port;
}

function onPort(entries: readonly RuleEntry[], port: number | undefined): readonly RuleEntry[] {
  return port === undefined ? entries : entries.map((e) => ({ ...e, match: { ...e.match, port } }));
}

/** Attaches the rules of an HTTP or gRPC route. Which port a redirect names depends on the listener. */
function attachRules(
  route: Resource<Route>,
  parents: readonly ParentState[],
  translate: (redirectPort: number | undefined) => TranslatedRules,
  into: Attachments,
): readonly Fault[] {
  const made = new Map<number | undefined, TranslatedRules>();
  const rules = (port: number | undefined): TranslatedRules => {
    const known = made.get(port) ?? translate(port);
    made.set(port, known);
    return known;
  };
  const { namespace } = route.metadata;
  for (const { attachments, host, ref } of parents) {
    for (const { listener, hosts } of attachments) {
      if (!listener.usable) continue;
      for (const one of hosts) into.add(listener.key, one, ['*'], rules(redirectPort(listener)).entries);
    }
    // Routes of the Service's own namespace are for all its clients, others for those of their namespace.
    if (host !== undefined)
      into.add(inMesh, host, (ref.namespace ?? namespace) === namespace ? ['*'] : [namespace], onPort(rules(undefined).entries, ref.port));
  }
  return rules(made.keys().next().value).faults;
}

/** Reads the objects of the Gateway API and translates those that are for the proxies of this mesh. Nothing is reported here: see faults. */
export function buildGatewayApi(objects: GatewayApiObjects, { byHost, domain, retries }: GatewayApiInputs): GatewayApi {
  const { classes, grants } = objects;
  const gateways = objects.gateways.map((gateway): GatewayState => {
    const owner = ownerOf(gateway, classes);
    return {
      gateway,
      owner,
      controller: controllerOf(gateway, classes),
      listeners: owner === 'ours' ? readListeners(gateway, grants) : [],
    };
  });
  const inputs: ParentInputs = {
    gateways: new Map(
      gateways.map(({ gateway, owner, listeners }) => [nameOf(gateway), { gateway, listeners: owner === 'ours' ? listeners : undefined }]),
    ),
    byHost,
    namespaces: new Map(objects.namespaces.map((n) => [n.metadata.name, n])),
    domain,
  };
  const routes: RouteState[] = [];
  const attachments = new Attachments();
  const views: VirtualServiceView[] = [];
  const shared: Omit<RouteInputs, 'redirectPort'> = { byHost, domain, grants, retries };
  const listenersOf = (of: ApiListener): readonly ApiListener[] => gateways.find((g) => g.gateway === of.gateway)?.listeners ?? [];
  const parentsOf = (route: Resource<Route>): ParentState[] =>
    parentStates(route, inputs).map((state) => ({
      ...state,
      attachments: state.attachments.map((a) => ({ ...a, hosts: isolated(a.hosts, a.listener, listenersOf(a.listener)) })),
    }));
  for (const route of objects.http) {
    const parents = parentsOf(route);
    const faults = attachRules(route, parents, (port) => httpRules(route, { ...shared, redirectPort: port }), attachments);
    routes.push({ route, parents, faults });
  }
  for (const route of objects.grpc) {
    const parents = parentsOf(route as Resource<Route>);
    const faults = attachRules(
      route as Resource<Route>,
      parents,
      (port) => grpcRules(route, { ...shared, redirectPort: port }),
      attachments,
    );
    routes.push({ route: route as Resource<Route>, parents, faults });
  }
  const taken: TakenNames = new Map();
  for (const route of objects.tls) {
    const parents = parentsOf(route as Resource<Route>);
    const { route: targets, faults } = layer4Targets(route, shared);
    for (const { listener, hosts } of parents.flatMap((p) => p.attachments)) {
      const made = listener.usable ? tlsView(route, targets, listener, hosts, taken) : undefined;
      if (made !== undefined) views.push(made);
    }
    routes.push({ route: route as Resource<Route>, parents, faults });
  }
  for (const route of objects.tcp) {
    const parents = parentsOf(route as Resource<Route>);
    const { route: targets, faults } = layer4Targets(route, shared);
    for (const { listener } of parents.flatMap((p) => p.attachments)) if (listener.usable) views.push(tcpView(route, targets, listener));
    routes.push({ route: route as Resource<Route>, parents, faults });
  }
  const gatewayViews = gateways.flatMap(({ listeners }) => listeners.filter((l) => l.usable).map(gatewayView));
  return { gateways, routes, gatewayViews, views: [...attachments.views(), ...views] };
}
