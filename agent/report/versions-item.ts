import { arch, cpus, freemem, type as osType, release, totalmem } from 'node:os';
import { findEnvoy } from '../envoy/find.ts';
import { json, type ReportItem } from './types.ts';

/** What runs here, and on what; no names of hosts or people. */
export const versionsItem = (version: string): ReportItem => ({
  path: 'versions.json',
  what: 'versions of Fairlead, Node, Envoy and the machine',
  async collect() {
    const envoy = await findEnvoy().catch(() => undefined);
    return json({
      fairlead: version,
      node: process.versions.node,
      system: `${osType()} ${release()} ${arch()}`,
      cpus: cpus().length,
      memory: { total: totalmem(), free: freemem() },
      envoy: envoy && { version: envoy.version, path: envoy.path },
    });
  },
});
