import type { Mesh, ProxyScope } from '../mesh/types.ts';
import type { BuildContext } from './context.ts';

/** A question that was asked of a mesh or of what a proxy sees in it, and the answer. */
type Read =
  | readonly ['service', string, ReturnType<ProxyScope['serviceByHost']>]
  | readonly ['rule', Parameters<ProxyScope['destinationRule']>, ReturnType<ProxyScope['destinationRule']>]
  | readonly ['endpoints', Parameters<Mesh['endpoints']>, ReturnType<Mesh['endpoints']>];

export type Reads = readonly Read[];

/** True when every question has the same answer, the very object, as it had. */
export function holds(reads: Reads, { mesh, scope }: BuildContext): boolean {
  for (const [what, question, answer] of reads) {
    switch (what) {
      case 'service':
        if (scope.serviceByHost(question) !== answer) return false;
        break;
      case 'rule':
        if (scope.destinationRule(question[0], question[1]) !== answer) return false;
        break;
      case 'endpoints':
        if (mesh.endpoints(question[0], question[1]) !== answer) return false;
        break;
    }
  }
  return true;
}

function untracked(what: string): never {
  throw new Error(`a part of the config asks for ${what}, of which nobody would know that it changed`);
}

/** What parts may not ask of a mesh. Shared by all contexts, of which a large mesh needs tens of thousands. */
const untrackedMesh: Omit<Mesh, 'config' | 'configSource' | 'completeHost' | 'peerAuthentications' | 'endpoints'> = {
  scope: () => untracked('a scope'),
  ofKind: () => untracked('a kind'),
  get resources() {
    return untracked('all resources');
  },
  get services() {
    return untracked('all services');
  },
  get workloads() {
    return untracked('all workloads');
  },
  get home() {
    return untracked('the own cluster');
  },
  get networks() {
    return untracked('all networks');
  },
  get workloadTemplates() {
    return untracked('all workloads to be');
  },
  get gateways() {
    return untracked('all Gateways');
  },
  get gatewayApi() {
    return untracked('the Gateway API');
  },
  get endpointChanges() {
    return untracked('changed endpoints');
  },
  get endpointsVersion() {
    return untracked('all endpoints');
  },
  get routingVersion() {
    return untracked('the routing');
  },
  get problems() {
    return untracked('problems');
  },
};

/** What parts may not ask of a scope. */
const untrackedScope: Omit<ProxyScope, 'proxy' | 'sidecar' | 'ingress' | 'outboundTrafficPolicy' | 'serviceByHost' | 'destinationRule'> = {
  virtualServicesFor: () => untracked('the VirtualServices of a gateway'),
  get services() {
    return untracked('all services of a scope');
  },
  get egress() {
    return untracked('egress listeners');
  },
  get virtualServices() {
    return untracked('all VirtualServices');
  },
  get instances() {
    return untracked('instances');
  },
  get gateways() {
    return untracked('gateways');
  },
};

/** An object with the members of `own`, and those of `shared` besides. */
function over<A extends object, B extends object>(shared: A, own: B): A & B {
  return Object.assign(Object.create(shared), own);
}

/**
 * A context that notes what is asked of it. It answers what single parts of the config may ask: about one service, its rule, its
 * endpoints; the settings and the proxy are the same for all parts. Anything else throws: the part could be kept when it must not.
 */
export function trackedContext(context: BuildContext): { context: BuildContext; reads: Reads; problems: BuildContext['problems'] } {
  const { mesh, scope } = context;
  const { config, configSource, completeHost, peerAuthentications } = mesh;
  const { proxy, sidecar, ingress, outboundTrafficPolicy } = scope;
  const reads: Read[] = [];
  const problems: BuildContext['problems'] = [];
  const endpoints: Mesh['endpoints'] = (...question) => {
    const answer = mesh.endpoints(...question);
    reads.push(['endpoints', question, answer]);
    return answer;
  };
  const serviceByHost: ProxyScope['serviceByHost'] = (host) => {
    const answer = scope.serviceByHost(host);
    reads.push(['service', host, answer]);
    return answer;
  };
  const destinationRule: ProxyScope['destinationRule'] = (...question) => {
    const answer = scope.destinationRule(...question);
    reads.push(['rule', question, answer]);
    return answer;
  };
  const trackedMesh: Mesh = over(untrackedMesh, { config, configSource, completeHost, peerAuthentications, endpoints });
  const trackedScope: ProxyScope = over(untrackedScope, {
    proxy,
    sidecar,
    ingress,
    outboundTrafficPolicy,
    serviceByHost,
    destinationRule,
  });
  return { context: { ...context, mesh: trackedMesh, scope: trackedScope, problems }, reads, problems };
}
