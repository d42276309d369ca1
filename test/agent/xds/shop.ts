/** Snapshots of a small mesh as people write it. */
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { buildSnapshot } from '../../../src/envoy/build.ts';
import type { Snapshot } from '../../../src/envoy/snapshot.ts';
import { buildMesh } from '../../../src/mesh/mesh.ts';
import { proxiesOf } from '../../../src/mesh/proxies.ts';
import type { Mesh } from '../../../src/mesh/types.ts';
import { secretsOf } from '../../contract/credentials/secrets.ts';

export interface SnapshotMaker {
  /** The sidecar of `default/web`, after these documents; what did not change since the last call is shared with it. */
  snapshot(yaml: string): Promise<Snapshot>;
  /** What the last one names: its certificate and what it trusts. */
  secrets(): Promise<readonly SecretJson[]>;
}

export function snapshotMaker(): SnapshotMaker {
  let mesh: Mesh | undefined;
  let last: Snapshot | undefined;
  return {
    async snapshot(yaml) {
      const { resources } = await parseConfig(yaml, 'mesh.yaml');
      mesh = buildMesh(resources, mesh ? { previous: mesh } : {});
      const proxy = proxiesOf(mesh, { addresses: ['127.0.0.1'], nodeName: '', pods: 'none' }).find((p) => p.name === 'web');
      if (proxy === undefined) throw new Error('no workload web');
      last = buildSnapshot(mesh, proxy, last);
      return last;
    },
    async secrets() {
      return (mesh && last && (await secretsOf(mesh, new Map([['web', last]]))).get('web')) ?? [];
    },
  };
}
