/** What is asked of one proxy: Envoy's admin endpoints, which Fairlead's embedded proxy has too. */
import type { HttpAnswer } from '../http-client.ts';
import { type Collected, json, type ReportItem } from './types.ts';

const ENDPOINTS: readonly { file: string; path: string; what: string; method?: 'POST' }[] = [
  { file: 'server_info.json', path: '/server_info', what: 'version, state, command line' },
  { file: 'config_dump.json', path: '/config_dump?include_eds', what: 'configuration' },
  { file: 'clusters.json', path: '/clusters?format=json', what: 'endpoints and their health' },
  { file: 'listeners.json', path: '/listeners?format=json', what: 'listeners' },
  { file: 'certs.json', path: '/certs', what: 'certificates, without keys' },
  { file: 'stats.txt', path: '/stats', what: 'stats' },
  { file: 'memory.json', path: '/memory', what: 'memory' },
  { file: 'ready.txt', path: '/ready', what: 'readiness' },
  { file: 'logging.txt', path: '/logging', what: 'log levels', method: 'POST' },
];

/** @param ask of the proxy; `prefix` of its paths at an agent that has several */
export function proxyItems(
  folder: string,
  ask: (method: 'GET' | 'POST', path: string, signal: AbortSignal) => Promise<HttpAnswer>,
): ReportItem[] {
  return ENDPOINTS.map(({ file, path, what, method }) => ({
    path: `${folder}/${file}`,
    what,
    async collect(signal): Promise<Collected> {
      const { status, body } = await ask(method ?? 'GET', path, signal);
      const text = body.toString('utf8');
      // A proxy that is not ready says so with 503.
      if (status !== 200 && path !== '/ready') throw new Error(`it answered ${status}: ${text.trim().slice(0, 120)}`);
      return file.endsWith('.json') ? json(JSON.parse(text)) : { content: text };
    },
  }));
}
