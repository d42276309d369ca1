import { explainRequest } from '../explain/explain.ts';
import { isBound, listenerPlace } from '../explain/listener.ts';
import { MESH_ALPN } from '../explain/mesh-alpn.ts';
import { policyText } from '../explain/security/policy-of.ts';
import type { ClientIdentity, Entry, ExplainRequest, HeaderLine } from '../explain/types.ts';
import type { ProxyView } from '../explain/view.ts';
import { isCapturedPort } from '../mesh/captured-ports.ts';
import type { ProxyNode } from '../mesh/types.ts';
import type { Permission } from './types.ts';

/** What somebody wants to do. */
export interface Wish extends Pick<ExplainRequest, 'jwtClaims' | 'sourceIp' | 'extAuthz'> {
  /** undefined: somebody without a certificate. */
  readonly client: ClientIdentity | undefined;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: readonly HeaderLine[];
  /** Of the workload. */
  readonly port: number;
}

/** Where a workload's own proxy takes connections for a port; undefined: nothing stands before it. */
function entryOf(view: ProxyView, { type, interception, workload }: ProxyNode, port: number): Entry | undefined {
  if (type === 'sidecar' && interception !== 'NONE') return isCapturedPort(workload, port) ? { kind: 'inbound', port } : undefined;
  const found = view.listeners.find(
    (l) => isBound(l) && listenerPlace(l).port === port && (type === 'router' || l.trafficDirection === 'INBOUND'),
  );
  return found && { kind: 'port', port, address: listenerPlace(found).ip };
}

/** Asks the proxy of a workload whether it would let a request pass. */
export function mayDo(view: ProxyView, proxy: ProxyNode, wish: Wish): Permission {
  const { client, method, path, host, headers, port, ...facts } = wish;
  const name = client?.uris?.[0] ?? client?.dnsNames?.[0] ?? '';
  const about = { version: 1 as const, workload: view.proxy, port, client: name, request: `${method} ${path}` };
  const entry = entryOf(view, proxy, port);
  if (entry === undefined)
    return {
      ...about,
      answer: 'yes',
      connection: 'plain text',
      why: `nothing guards port ${port}: calls go straight to the workload, whatever policies say`,
      policies: [],
      nearMisses: [],
      notes: ['put its proxy in front with a Sidecar whose ingress has the port'],
    };
  // Proxies of the mesh speak mutual TLS wherever it is taken.
  const tls = client !== undefined && proxy.type === 'sidecar' && view.mesh?.own.mtls(port).action !== 'DISABLE';
  const explained = explainRequest(view, {
    method,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}${path}`,
    headers,
    entry,
    ...facts,
    ...(tls && { tls, sni: '', alpn: MESH_ALPN, client }),
  });
  const denied = explained.outcomes.find((o) => o.type === 'denied' || o.type === 'no-filter-chain' || o.type === 'closed');
  const first = denied ?? explained.outcomes[0]!;
  const policies = first.policies ?? [];
  const depends = denied === undefined && explained.unevaluated.length > 0;
  const allowing = policies.filter((p) => p.action === 'ALLOW');
  const why =
    denied !== undefined
      ? denied.summary.replace(/^(?:\d{3}|the connection is closed): /, '')
      : depends
        ? explained.unevaluated.map((u) => u.why).join('; ')
        : allowing.length > 0
          ? `AuthorizationPolicy ${allowing.map(policyText).join(', ')} allows it`
          : 'no policy denies it, and none says who is allowed';
  const alone =
    client !== undefined && !tls && proxy.type === 'sidecar' ? ['mutual TLS is switched off there: nobody is known by name'] : [];
  return {
    ...about,
    answer: denied !== undefined ? 'no' : depends ? 'depends' : 'yes',
    connection: tls ? 'mutual TLS' : 'plain text',
    why,
    policies,
    ...(denied?.status !== undefined && { status: denied.status }),
    nearMisses: denied === undefined ? [] : explained.nearMisses.filter((miss) => miss.kind === 'policy'),
    notes: [...alone, ...explained.notes],
  };
}
