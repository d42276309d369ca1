import type { AnyJson } from '@bufbuild/protobuf/wkt';
import type { TcpProxyJson } from '#envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js';
import { clusterText } from './cluster-text.ts';
import { destinationOf } from './destination.ts';
import { percent } from './percent.ts';
import { endpointsStep } from './steps.ts';
import { addDependence, addStep, endOutcome, type Trace } from './trace.ts';
import { indexOf } from './view.ts';

/** What a tcp_proxy does with one connection: a cluster, by weight where there are several. */
export function explainTcpProxy(trace: Trace, filter: AnyJson, sourceIp: string): void {
  const config = filter as TcpProxyJson;
  const weighted = (config.weightedClusters?.clusters ?? []).filter((c) => (c.weight ?? 0) > 0);
  const total = weighted.reduce((n, c) => n + (c.weight ?? 0), 0);
  const choices =
    weighted.length > 0
      ? weighted.map((c) => ({ name: c.name ?? '', share: (c.weight ?? 0) / total }))
      : [{ name: config.cluster ?? '', share: 1 }];
  const several = choices.length > 1;
  const split = choices.map((c) => `${percent(c.share)} to ${clusterText(c.name)}`).join(', ');
  const details = { ...(config.idleTimeout !== undefined && { idleTimeout: config.idleTimeout }), source: sourceIp };
  addStep(
    trace,
    'tcpProxy',
    several ? (config.statPrefix ?? '') : '',
    several ? split : `joins the connection with ${clusterText(choices[0]!.name)}`,
    {
      details,
    },
  );
  if (several) addDependence(trace, 'chance', 'weights decide among several clusters');
  for (const [i, { name, share }] of choices.entries()) {
    const id = String(i + 1);
    const outcome = several ? id : undefined;
    const json = indexOf(trace.view).cluster(name);
    if (json === undefined) {
      addStep(trace, 'cluster', name, `there is no cluster ${name}`, { effect: 'stops', outcome });
      trace.outcomes.push(endOutcome('no-cluster', `closed: there is no cluster ${name}`, { id, share, flags: 'NC' }));
      continue;
    }
    const destination = destinationOf(trace.view, json);
    const what = destination.subset === undefined ? '' : `, subset ${destination.subset}`;
    addStep(
      trace,
      'cluster',
      name,
      destination.service === undefined ? `the cluster ${name}` : `${destination.service} port ${destination.port}${what}`,
      {
        outcome,
        origin: destination.origin,
        details: { discovery: destination.discovery, balancing: destination.balancing, transport: destination.transport },
      },
    );
    endpointsStep(trace, destination, outcome);
    const passthrough = destination.discovery === 'ORIGINAL_DST';
    const usable = destination.endpoints.some((e) => e.share > 0) || passthrough || !destination.endpointsKnown;
    const type = !usable ? (name === 'BlackHoleCluster' ? 'blackhole' : 'no-endpoints') : passthrough ? 'passthrough' : 'forward';
    const summary = usable
      ? passthrough
        ? 'passed on to where the client wanted to go'
        : `forwarded to ${clusterText(name)}`
      : `closed: ${clusterText(name)} has no healthy endpoint`;
    trace.outcomes.push(endOutcome(type, summary, { id, share, flags: usable ? '-' : 'UH', destination }));
  }
}
