import type { Resource } from '../../src/config/resource.ts';
import { doc, resourcesOf } from './fixture.ts';

/** A small generator with a seed (mulberry32), so that a failure can be had again. */
export function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const apps = ['a', 'b', 'c'];
/** What stays: services of each kind that endpoints can belong to. */
export const fixed =
  apps.map((app) => doc('Service', app, `spec: {selector: {app: ${app}}, ports: [{name: http, port: 80, targetPort: 8080}]}`)).join('') +
  doc('Service', 'hand', 'spec: {ports: [{name: http, port: 80}]}') +
  doc('Service', 'headless', 'spec: {clusterIP: None, selector: {app: a}, ports: [{name: tcp, port: 90}]}') +
  doc(
    'ServiceEntry',
    'sel',
    'spec:\n  hosts: [sel.example.com]\n  location: MESH_INTERNAL\n  resolution: STATIC\n  ports: [{number: 80, name: http, protocol: HTTP}]\n  workloadSelector: {labels: {app: b}}',
  );

export type Next = (below: number) => number;
/** Addresses are few, so that workloads, slices and endpoints meet. */
const address = (next: Next): string => `10.0.0.${1 + next(6)}`;
const makers: ((next: Next) => string)[] = [
  (next) =>
    doc(
      'EndpointSlice',
      `s${next(4)}`,
      `addressType: IPv4\nports: [{name: http, port: ${8080 + next(2)}}, {name: tcp, port: 90}]\nendpoints: [{addresses: [${address(next)}], conditions: {ready: ${next(2) === 0}}}]`,
      `labels: {kubernetes.io/service-name: ${[...apps, 'hand', 'headless'][next(5)]}}`,
    ),
  (next) =>
    doc(
      'Pod',
      `p${next(4)}`,
      `spec: {containers: [{name: c}], nodeName: n1, serviceAccountName: ${apps[next(3)]}}\nstatus: {podIP: ${address(next)}}`,
      `labels: {app: ${apps[next(3)]}${['', ', security.istio.io/tlsMode: istio'][next(2)]}}`,
    ),
  (next) =>
    doc(
      'WorkloadEntry',
      `w${next(4)}`,
      `spec: {address: ${address(next)}, labels: {app: ${apps[next(3)]}}, weight: ${1 + next(2)}${['', ', serviceAccount: w'][next(2)]}}`,
      ['', 'annotations: {sidecar.istio.io/interceptionMode: REDIRECT}'][next(2)],
    ),
  (next) =>
    doc('Endpoints', ['a', 'hand'][next(2)]!, `subsets: [{addresses: [{ip: ${address(next)}}], ports: [{name: http, port: 8080}]}]`),
  (next) =>
    doc(
      'ServiceEntry',
      `e${next(2)}`,
      `spec:\n  hosts: [e.example.com]\n  resolution: STATIC\n  ports: [{number: 80, name: http, protocol: HTTP}]\n  endpoints: [{address: ${address(next)}}, {address: 10.9.9.${next(9)}}]`,
    ),
];

const key = (r: Resource): string => `${r.kind}/${r.metadata.name}`;

/** `resources` after a random change of what bears endpoints: one comes, goes, or is another. */
export async function changed(resources: readonly Resource[], next: Next): Promise<Resource[]> {
  const at = next(resources.length);
  if (next(4) === 0 && !['Service', 'ServiceEntry'].includes(resources[at]!.kind)) return resources.filter((_, i) => i !== at);
  const [made] = await resourcesOf(makers[next(makers.length)]!(next));
  const place = resources.findIndex((r) => key(r) === key(made!));
  return place === -1 ? [...resources, made!] : resources.with(place, made!);
}
