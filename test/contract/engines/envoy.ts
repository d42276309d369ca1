/** The real Envoy: one process for each proxy of a case at a time, kept from case to case. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { Snapshot } from '../../../src/envoy/snapshot.ts';
import { until } from '../../support/http.ts';
import { listening } from './listening.ts';
import { readStats } from './stats-text.ts';
import type { ContractEngine } from './types.ts';

interface Slot {
  set(snapshot: Snapshot | undefined): Promise<void>;
  get(path: string): Promise<string>;
  close(): void;
}

function inline(snapshot: Snapshot): { listeners: object[]; clusters: object[] } {
  const walk = (v: unknown): unknown => {
    if (Array.isArray(v)) return v.map(walk);
    if (typeof v !== 'object' || v === null) return v;
    const out: Record<string, unknown> = {};
    for (const [k, x] of Object.entries(v)) {
      if (k === 'rds') {
        const { routeConfigName } = x as { routeConfigName: string };
        out['routeConfig'] = snapshot.routes.find((r) => r.name === routeConfigName) ?? { name: routeConfigName };
      } else out[k] = walk(x);
    }
    return out;
  };
  const clusters = snapshot.clusters.map((c) => {
    if (c.type !== 'EDS') return c;
    const { edsClusterConfig: _e, ...rest } = c;
    return { ...rest, type: 'STATIC', loadAssignment: snapshot.endpoints.find((e) => e.clusterName === c.name) };
  });
  return { listeners: snapshot.listeners.map(walk) as object[], clusters };
}

async function startSlot(binary: string, folder: string, n: number): Promise<Slot> {
  const at = join(folder, `envoy-${n}`);
  mkdirSync(at, { recursive: true });
  const admin = join(at, 'admin.sock');
  let version = 0;
  const put = (name: string, type: string, resources: object[]): void => {
    const text = JSON.stringify({
      versionInfo: String(version),
      resources: resources.map((r) => ({ '@type': `type.googleapis.com/${type}`, ...r })),
    });
    writeFileSync(join(at, `${name}.tmp`), text);
    renameSync(join(at, `${name}.tmp`), join(at, `${name}.json`));
  };
  const putAll = ({ listeners, clusters }: { listeners: object[]; clusters: object[] }): void => {
    version++;
    put('cds', 'envoy.config.cluster.v3.Cluster', clusters);
    put('lds', 'envoy.config.listener.v3.Listener', listeners);
  };
  putAll({ listeners: [], clusters: [] });
  const dynamic = (name: string): object => ({
    pathConfigSource: { path: join(at, `${name}.json`), watchedDirectory: { path: at } },
    resourceApiVersion: 'V3',
  });
  writeFileSync(
    join(at, 'bootstrap.json'),
    JSON.stringify({
      node: { id: `slot-${n}`, cluster: 'contract' },
      admin: { address: { pipe: { path: admin } } },
      dynamicResources: { ldsConfig: dynamic('lds'), cdsConfig: dynamic('cds') },
      layeredRuntime: { layers: [{ name: 'a', staticLayer: { 'envoy.reloadable_features.http_reject_path_with_fragment': false } }] },
    }),
  );
  const log = openSync(join(at, 'log'), 'w');
  const args = [
    '-c',
    join(at, 'bootstrap.json'),
    '--disable-hot-restart',
    '--concurrency',
    '1',
    '--file-flush-interval-msec',
    '20',
    '-l',
    'warning',
  ];
  const child: ChildProcess = spawn(binary, args, { stdio: ['ignore', log, log] });
  const ask = (method: string, path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const req = request({ socketPath: admin, method, path }, (res) => {
        let text = '';
        res.on('data', (d) => {
          text += d;
        });
        res.on('end', () => resolve(text));
      });
      req.on('error', reject).end();
    });
  await until('Envoy is up', () =>
    ask('GET', '/ready').then(
      (t) => t.startsWith('LIVE'),
      () => false,
    ),
  );
  return {
    async set(snapshot) {
      putAll(snapshot ? inline(snapshot) : { listeners: [], clusters: [] });
      const rejected = (text: string): number => {
        const s = readStats(text);
        return (s.get('cluster_manager.cds.update_rejected') ?? 0) + (s.get('listener_manager.lds.update_rejected') ?? 0);
      };
      const before = rejected(await ask('GET', '/stats'));
      await until(
        'Envoy took the config',
        async () => {
          const text = await ask('GET', '/stats');
          if (rejected(text) > before) throw new Error(`refused: ${readFileSync(join(at, 'log'), 'utf8').slice(-1500)}`);
          const versions = [...text.matchAll(/(?:cds|lds)\.version_text: "(\d+)"/g)].map((m) => Number(m[1]));
          return versions.length === 2 && versions.every((v) => v === version);
        },
        10_000,
      );
      if (snapshot) await listening(snapshot);
    },
    get: (path) => ask('GET', path),
    close: () => child.kill('SIGKILL'),
  };
}

export function envoyEngine(binary: string): (folder: string) => Promise<ContractEngine> {
  return async (folder) => {
    const slots: Slot[] = [];
    let running = new Map<string, Slot>();
    return {
      name: 'envoy',
      async run(snapshots) {
        running = new Map();
        for (const [i, [name, snapshot]] of [...snapshots].entries()) {
          slots[i] ??= await startSlot(binary, folder, i);
          await slots[i].set(undefined);
          await slots[i].set(snapshot);
          running.set(name, slots[i]);
        }
      },
      stats: async (proxy) => readStats(await running.get(proxy)!.get('/stats')),
      close: async () => {
        for (const slot of slots) slot.close();
      },
    };
  };
}
