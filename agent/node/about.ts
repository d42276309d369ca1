/**
 * What an agent in a pod is told of its proxy besides Envoy's resources: who the proxy is, the mesh's settings, and the objects that say who
 * may call it, what is measured of it and which services it serves. From these it makes a small model of its own, so that it names
 * policies in its log and counts requests as the agent of a node does. One resource of type google.protobuf.Struct; Secrets are none of it.
 */
import type { KubernetesService } from '../../src/config/kinds/kubernetes.ts';
import type { Resource } from '../../src/config/resource.ts';
import { telemetryFor } from '../../src/envoy/telemetry-levels.ts';
import { gatewaysOf } from '../../src/mesh/gateways.ts';
import { isSubset } from '../../src/mesh/labels.ts';
import { policiesFor } from '../../src/mesh/security/policies-for.ts';
import type { Mesh, ProxyNode, ResolvedMeshConfig } from '../../src/mesh/types.ts';

/** The name of the resource. */
export const ABOUT = 'fairlead.dev/proxy';

/** A resource without its positions. */
export type AboutObject = Omit<Resource, 'source' | 'cluster'> & { file: string };

export interface AboutProxy {
  name: typeof ABOUT;
  /** Without its workload's resource, which is among the objects. */
  proxy: ProxyNode;
  config: ResolvedMeshConfig;
  objects: readonly AboutObject[];
}

interface Made {
  proxy: ProxyNode;
  config: ResolvedMeshConfig;
  from: readonly Resource[];
  about: readonly [AboutProxy];
}

/** Gives the same list as long as nothing in it changes. */
export function createAbout(mesh: () => Mesh | undefined): (proxy: ProxyNode) => readonly object[] {
  const known = new Map<string, Made>();
  return (proxy) => {
    const now = mesh();
    if (now === undefined) return known.get(proxy.id)?.about ?? [];
    const from = objectsOf(now, proxy);
    const before = known.get(proxy.id);
    if (before?.proxy === proxy && before.config === now.config && sameList(before.from, from)) return before.about;
    const { workload } = proxy;
    const about: AboutProxy = plain({
      name: ABOUT,
      proxy: { ...proxy, workload: { ...workload, resource: undefined } },
      config: now.config,
      objects: from.map(asObject),
    });
    const made: Made = { proxy, config: now.config, from, about: [about] };
    known.set(proxy.id, made);
    if (known.size > 2 * MOST) for (const id of [...known.keys()].slice(0, MOST)) known.delete(id);
    return made.about;
  };
}

/** Pods of a node, by far. */
const MOST = 1000;

function objectsOf(mesh: Mesh, proxy: ProxyNode): Resource[] {
  const { rootNamespace } = mesh.config;
  const near = (kind: string): readonly Resource[] =>
    mesh.ofKind<unknown>(kind).filter(({ metadata: { namespace } }) => namespace === rootNamespace || namespace === proxy.namespace);
  const services = mesh
    .ofKind<KubernetesService>('Service')
    .filter(({ metadata, spec }) => metadata.namespace === proxy.namespace && selects(spec.selector, proxy));
  return [
    ...(proxy.workload.resource ? [proxy.workload.resource] : []),
    ...services,
    ...policiesFor<object>(mesh, 'AuthorizationPolicy', proxy),
    ...policiesFor<object>(mesh, 'RequestAuthentication', proxy),
    ...near('PeerAuthentication'),
    ...telemetryFor(mesh, proxy),
    ...near('Sidecar'),
    ...(proxy.type === 'router' ? new Set(gatewaysOf(mesh.gateways, proxy).map(({ resource }) => resource)) : []),
  ];
}

function selects(selector: Readonly<Record<string, string>> | undefined, { labels }: ProxyNode): boolean {
  return selector !== undefined && Object.keys(selector).length > 0 && isSubset(selector, labels);
}

function asObject({ apiVersion, group, version, kind, metadata, spec, status, source }: Resource): AboutObject {
  return { apiVersion, group, version, kind, metadata, spec, ...(status === undefined ? {} : { status }), file: source.file };
}

/** As it travels: a Struct has no undefined. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const sameList = (a: readonly unknown[], b: readonly unknown[]): boolean => a.length === b.length && a.every((item, i) => item === b[i]);
