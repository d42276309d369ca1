/** Descriptions for people. */
import type {
  Description,
  MtlsMode,
  PortMtls,
  ResourceDescription,
  ServiceDescription,
  WorkloadDescription,
} from '../../describe/types.ts';
import type { Canvas } from '../explain/paint.ts';
import {
  appliedRows,
  endpointText,
  exposureRows,
  named,
  placesText,
  policyRows,
  problemRows,
  routeRows,
  shadowRow,
  someNames,
  subsetRows,
  useRows,
} from './parts.ts';
import { type Row, type Section, sheet } from './sheet.ts';

export function descriptionText(description: Description, canvas: Canvas): string {
  if (description.kind === 'service') return serviceText(description, canvas);
  return description.kind === 'resource' ? resourceText(description, canvas) : workloadText(description, canvas);
}

function serviceText(s: ServiceDescription, canvas: Canvas): string {
  const about: Row[] = [
    {
      word: 'seen from',
      text: s.visible ? s.from : `${s.from}, which does not see it: there are no routes`,
      ...(!s.visible && { style: 'yellow' as const }),
    },
    { word: 'addresses', text: s.addresses.length > 0 ? s.addresses.join(', ') : 'none of its own' },
    { word: 'endpoints', text: `${RESOLUTIONS[s.resolution] ?? s.resolution}${s.external ? ', outside the mesh' : ''}` },
    { word: 'workloads', text: someNames(s.workloads) },
  ];
  const ports = s.ports.flatMap((p): Row[] => [
    {
      text: `${p.number} ${p.name === '' ? '' : `${p.name}, `}${p.protocol}: ${endpointText(p.endpoints)}${portsText(p.endpointPorts)}`,
      origin: p.origin,
      placeOnly: true,
      style: 'cyan',
    },
    ...p.routes.flatMap((route) => routeRows(route, 1)),
    ...policyRows(p.trafficPolicy, 1),
    ...mtlsRows(p.mtls),
  ]);
  const { exportTo, seenFrom, hiddenFrom } = s.visibility;
  const visibility: Row[] = [
    {
      word: 'exported to',
      text: exportTo.join(', ') === '*' ? 'every namespace' : exportTo.join(', ') === '~' ? 'nobody' : exportTo.join(', '),
    },
    ...(seenFrom.length > 0 ? [{ word: 'seen from', text: someNames(seenFrom) }] : []),
    ...hiddenFrom.map((h): Row => ({ word: 'hidden from', text: `${someNames(h.workloads)}: ${h.why}`, origin: h.by, style: 'yellow' })),
  ];
  return sheet(
    { text: `${s.host}  ${named(s.origin)}`, origin: s.origin, placeOnly: true },
    [
      { title: 'about', rows: about },
      { title: 'ports and routes', rows: ports },
      { title: 'subsets', rows: subsetRows(s.subsets) },
      { title: 'VirtualServices and DestinationRules', rows: useRows([...s.virtualServices, ...s.destinationRules]) },
      { title: 'exposed by gateways', rows: exposureRows(s.exposedBy) },
      {
        title: 'reached from other hosts',
        rows: s.reachedBy.map((r) => ({ text: `${r.hosts.join(', ') || 'a delegate of nobody'} ${r.what}`, origin: r.origin })),
      },
      { title: 'visibility', rows: visibility },
      { title: 'policies of its workloads', rows: appliedRows(s.policies) },
      { title: 'problems', rows: problemRows(s.problems) },
    ],
    canvas,
  );
}

const portsText = (ports: readonly number[]): string =>
  ports.length === 0 ? '' : ` at port${ports.length === 1 ? '' : 's'} ${someNames(ports.map(String))}`;

const RESOLUTIONS: Readonly<Record<string, string>> = {
  static: 'known addresses',
  dns: 'all that DNS gives for their names',
  'dns-round-robin': 'what DNS gives for their names, one after the other',
  'dynamic-dns': 'what DNS gives for the name that is asked for',
  passthrough: 'the address that clients connect to',
  alias: 'those of another service',
};

function modeText({ mode, origin, unguarded }: MtlsMode): string {
  if (origin === undefined) return `${mode} by default: no PeerAuthentication says otherwise`;
  return unguarded && mode === 'STRICT' ? `${mode}, but no proxy takes connections there: calls go straight to the workload` : mode;
}

function mtlsRows({ server, client, conflict, today }: PortMtls): Row[] {
  const accepts = server.map((s): Row => {
    const who = server.length > 1 ? `${someNames(s.workloads)}: ` : '';
    return {
      level: 1,
      word: 'mTLS',
      text: `${who}${modeText(s)}`,
      origin: s.origin,
      ...(s.unguarded && s.mode === 'STRICT' && { style: 'yellow' as const }),
    };
  });
  const usual = client.mode === 'automatic' || (client.mode === 'DISABLE' && client.origin === undefined);
  return [
    ...accepts,
    ...(usual ? [] : [{ level: 1, word: 'clients', text: `TLS ${client.mode}`, origin: client.origin }]),
    ...(conflict === undefined ? [] : [{ level: 1, word: 'conflict', text: conflict, style: 'red' as const }]),
    ...(today === undefined ? [] : [{ level: 1, word: 'today', text: today, style: 'yellow' as const }]),
  ];
}

function workloadText(w: WorkloadDescription, canvas: Canvas): string {
  const labels = Object.entries(w.labels).map(([k, v]) => `${k}=${v}`);
  const about: Row[] = [
    { word: 'proxy', text: `${w.proxy}${w.httpProxyPort === undefined ? '' : `, HTTP proxy at 127.0.0.1:${w.httpProxyPort}`}` },
    { word: 'labels', text: labels.join(', ') || 'none' },
    { word: 'addresses', text: w.addresses.join(', ') || 'none yet' },
    ...(w.identity === undefined ? [] : [{ word: 'identity', text: w.identity }]),
    ...(w.locality === undefined ? [] : [{ word: 'locality', text: w.locality }]),
  ];
  const services = w.services.flatMap((s): Row[] => [
    {
      text: `${s.host}:${s.port}, ${s.protocol} at port ${s.targetPort}${s.subsets.length > 0 ? `, subset ${s.subsets.join(', ')}` : ''}`,
      origin: s.origin,
      placeOnly: true,
    },
    {
      level: 1,
      word: 'mTLS',
      text: modeText(s.mtls),
      origin: s.mtls.origin,
      ...(s.mtls.unguarded && s.mtls.mode === 'STRICT' && { style: 'yellow' as const }),
    },
  ]);
  const { outbound } = w;
  const hidden = outbound.hidden > 0 ? `, ${outbound.hidden} more are exported here but not imported` : '';
  const outboundRows: Row[] = [
    { word: 'sees', text: `${outbound.services} service${outbound.services === 1 ? '' : 's'}${hidden}` },
    {
      word: 'other hosts',
      text: outbound.unknownHosts === 'REGISTRY_ONLY' ? 'refused (REGISTRY_ONLY)' : 'reached as DNS has them (ALLOW_ANY)',
    },
    ...(w.sidecar === undefined ? [] : useRows([w.sidecar])),
  ];
  const declared = w.declaredAs === 'implied' ? 'implied: nothing declares it' : w.declaredAs;
  return sheet(
    { text: `${w.name}.${w.namespace}  ${declared}`, origin: w.origin, placeOnly: true },
    [
      { title: 'about', rows: about },
      { title: 'serves', rows: services },
      { title: 'exposes', rows: exposureRows(w.exposes) },
      { title: 'calls', rows: outboundRows },
      { title: 'policies', rows: appliedRows(w.policies) },
      { title: 'problems', rows: problemRows(w.problems) },
    ],
    canvas,
  );
}

const STATES = { acts: 'it acts', partly: 'it acts in part', ignored: 'it is ignored' } as const;

function resourceText(r: ResourceDescription, canvas: Canvas): string {
  const routes = r.routes.flatMap((route) => [
    ...routeRows(route),
    ...(route.at.length === 0 ? [] : [{ level: 1, word: 'in', text: placesText(route.at) }]),
  ]);
  const known = new Set(r.routes.map((route) => route.shadow?.why).filter((why) => why !== undefined));
  const shadows = r.shadows.filter((s) => ![...known].some((why) => s.why.endsWith(`: ${why}`)));
  const sections: Section[] = [
    { title: STATES[r.state], rows: [...(r.summary === '' ? [] : [{ text: r.summary }]), ...shadows.map((s) => shadowRow(s, 0))] },
    { title: 'in the config of', rows: r.workloads.length === 0 ? [] : [{ text: someNames(r.workloads, 20) }] },
    {
      title: 'hosts and ports',
      rows: r.services
        .slice(0, MOST_SERVICES)
        .map((s) => ({ text: `${s.host}: ${s.ports.join(', ')}${s.note === undefined ? '' : `, ${s.note}`}` })),
    },
    { title: 'routes', rows: routes },
    { title: 'exposes', rows: exposureRows(r.exposes) },
    { title: 'subsets', rows: subsetRows(r.subsets) },
    { title: 'traffic policy', rows: policyRows(r.trafficPolicy) },
    {
      title: 'more',
      rows: [
        ...r.facts.map(([word, text]) => ({ word, text })),
        ...(r.services.length > MOST_SERVICES ? [{ text: `${r.services.length - MOST_SERVICES} more services: -o json has all` }] : []),
      ],
    },
    { title: 'problems', rows: problemRows(r.problems) },
  ];
  return sheet({ text: named(r.origin), origin: r.origin, placeOnly: true }, sections, canvas);
}

const MOST_SERVICES = 30;
