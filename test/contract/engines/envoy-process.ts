import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { bootstrap } from '../../../src/envoy/dump/bootstrap.ts';
import { resolveMeshConfig } from '../../../src/mesh/mesh-config.ts';
import type { ProxyNode } from '../../../src/mesh/types.ts';
import { until } from '../../support/http.ts';

export interface EnvoyProcess {
  /** Its node id. */
  readonly id: string;
  /** The admin API's answer. */
  get(path: string): Promise<string>;
  close(): Promise<void>;
}

/** Starts Envoy with Fairlead's bootstrap. One worker, so that limits and round robin are exact; access logs are written at once. */
export async function startEnvoy(binary: string, folder: string, id: string, xdsPath: string, proxy: ProxyNode): Promise<EnvoyProcess> {
  mkdirSync(folder, { recursive: true });
  const admin = join(folder, 'admin.sock');
  const file = join(folder, 'bootstrap.json');
  const logFile = join(folder, 'log');
  const config = resolveMeshConfig({});
  writeFileSync(file, JSON.stringify(bootstrap({ ...proxy, id }, { config, version: 'test', admin: { path: admin }, xdsPath })));
  const log = openSync(logFile, 'w');
  const how = ['--disable-hot-restart', '--concurrency', '1', '--file-flush-interval-msec', '10', '-l', 'warning'];
  const child = spawn(binary, ['-c', file, ...how], { stdio: ['ignore', log, log] });
  const get = (path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const req = request({ socketPath: admin, path }, (res) => {
        let text = '';
        res.setEncoding('utf8').on('data', (d: string) => {
          text += d;
        });
        res.on('end', () => resolve(text));
      });
      req.on('error', reject).end();
    });
  await until('Envoy answers', async () => {
    if (child.exitCode !== null) throw new Error(`Envoy ended with ${child.exitCode}: ${readFileSync(logFile, 'utf8').slice(-2000)}`);
    return get('/server_info').then(
      () => true,
      () => false,
    );
  });
  return {
    id,
    get,
    async close() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
