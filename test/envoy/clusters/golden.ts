/**
 * Golden cases: one file is one case. Above `=====` is the configuration, below it what it makes of it; UPDATE_GOLDENS=1 rewrites the
 * lower half. Comments at the top say what the case is about, and choose:
 *
 *   # proxy: NAME           whose config; else the first one
 *   # interception: MODE    in place of the proxy's own
 *   # locality: r/z/s       where the proxy is
 *   # node: NAME            the node it runs on
 *   # ips: A,B              its addresses
 *   # mesh: first           the first document is a MeshConfig
 *   # only: REGEX           clusters by name; else those that belong to services
 *   # pick: FIELD,FIELD     of each cluster
 *   # show: clusters,endpoints,problems
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parse } from 'yaml';
import type { ClusterJson } from '#envoy-api/envoy/config/cluster/v3/cluster_pb.js';
import type { ClusterLoadAssignmentJson } from '#envoy-api/envoy/config/endpoint/v3/endpoint_pb.js';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { formatPosition } from '../../../src/config/resource.ts';
import { buildContext } from '../../../src/envoy/build-memo.ts';
import { buildClusters } from '../../../src/envoy/clusters/build.ts';
import { trackedEndpoints } from '../../../src/envoy/endpoint-update.ts';
import { parseLocality } from '../../../src/mesh/locality.ts';
import { buildMesh } from '../../../src/mesh/mesh.ts';
import { proxiesOf } from '../../../src/mesh/proxies.ts';
import type { Interception, Mesh, ProxyNode, ProxyScope } from '../../../src/mesh/types.ts';

const separator = '\n=====\n';

export interface GoldenCase {
  name: string;
  title: string;
  /** All that was built, before the case's choice. */
  clusters: readonly ClusterJson[];
  endpoints: readonly ClusterLoadAssignmentJson[];
  mesh: Mesh;
  scope: ProxyScope;
  actual: string;
  expected: string;
  /** Writes `actual` below the separator. */
  update(): void;
}

function options(text: string): Map<string, string> {
  const out = new Map<string, string>();
  for (const [, key, value] of text.matchAll(/^# (proxy|interception|locality|node|ips|mesh|only|pick|show): (.*)$/gm))
    out.set(key!, value!);
  return out;
}

function choose(all: readonly ProxyNode[], choice: Map<string, string>): ProxyNode {
  const name = choice.get('proxy');
  const found = name === undefined ? (all.find((p) => p.type === 'sidecar') ?? all[0]) : all.find((p) => p.name === name);
  if (found === undefined) throw new Error(`no proxy ${name}; there are ${all.map((p) => p.name)}`);
  const node = { ...found, workload: { ...found.workload } };
  const locality = choice.get('locality');
  if (locality !== undefined) node.locality = node.workload.locality = parseLocality(locality);
  if (choice.has('interception')) node.interception = choice.get('interception') as Interception;
  if (choice.has('node')) node.workload.nodeName = choice.get('node')!;
  if (choice.has('ips')) node.ips = choice.get('ips')!.split(',');
  return node;
}

function pick(cluster: ClusterJson, fields: string | undefined): object {
  if (fields === undefined) return cluster;
  const out: Record<string, unknown> = {};
  for (const field of fields.split(',')) if (field in cluster) out[field] = cluster[field as keyof ClusterJson];
  return out;
}

/** Builds the case in `file`. Throws for configuration with errors. */
async function build(file: string, shown: string): Promise<GoldenCase> {
  const text = readFileSync(file, 'utf8');
  const at = text.indexOf(separator);
  const input = text.slice(0, at + 1);
  const choice = options(input);
  const cut = choice.get('mesh') === 'first' ? input.indexOf('\n---\n') + 1 : 0;
  const meshConfig = cut > 0 ? parse(input.slice(0, cut)) : undefined;
  const parsed = await parseConfig(input.slice(cut), 'mesh.yaml');
  const errors = parsed.problems.filter((p) => p.severity === 'error');
  if (errors.length > 0) throw new Error(`${file}: ${errors.map((e) => e.message).join('; ')}`);
  const mesh = buildMesh(parsed.resources, { meshConfig });
  const scope = mesh.scope(choose(proxiesOf(mesh, { addresses: ['10.0.0.5'], pods: 'none' }), choice));
  const context = buildContext(mesh, scope);
  const clusters = buildClusters(context);
  const problems = [...context.problems];
  const endpoints = trackedEndpoints(context, clusters).list;
  const only = new RegExp(choice.get('only') ?? '^(outbound|inbound)');
  const sections: Record<string, () => unknown> = {
    clusters: () => clusters.filter((c) => only.test(c.name!)).map((c) => pick(c, choice.get('pick'))),
    endpoints: () => endpoints.filter((e) => only.test(e.clusterName!)),
    problems: () => problems.map((p) => ({ ...p, position: p.position && formatPosition(p.position) })),
  };
  const show = (choice.get('show') ?? shown).split(',');
  const actual = `${JSON.stringify(Object.fromEntries(show.map((s) => [s, sections[s]!()])), null, 2)}\n`;
  return {
    name: basename(file, '.yaml'),
    title: /^# (.*)/.exec(input)?.[1] ?? '',
    clusters,
    endpoints,
    mesh,
    scope,
    actual,
    expected: text.slice(at + separator.length),
    update: () => writeFileSync(file, `${text.slice(0, at)}${separator}${actual}`),
  };
}

/** All cases of a folder, built. */
export function goldenCases(folder: string, shown: string): Promise<GoldenCase[]> {
  return Promise.all(
    globSync(`${folder}/*.yaml`)
      .sort()
      .map((file) => build(file, shown)),
  );
}
