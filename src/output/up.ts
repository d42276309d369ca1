/** What `fairlead up` says at its start and at each change. */
import { styleText } from 'node:util';
import type { ShownProxy, ShownStatus } from './agent-status.ts';
import { columns } from './columns.ts';

type Style = Parameters<typeof styleText>[0];

/** The mesh at a glance: who runs, where to send requests, and a command to try. */
export function meshText(
  status: ShownStatus,
  api: string | undefined,
  paths: readonly string[],
  { color, width, example = 'http://SERVICE:PORT/' }: { color: boolean; width: number | undefined; example?: string | undefined },
): string {
  const paint = (style: Style, text: string): string => (color ? styleText(style, text, { validateStream: false }) : text);
  const { files, resources } = status.config;
  const lines = [
    `${paint('bold', `fairlead ${status.version}`)}  ${paths.join(', ')}: ${count(files, 'file')}, ${count(resources, 'resource')}; engine ${engineText(status)}`,
    ...(files === 0 ? [paint('yellow', 'no .yaml, .yml or .json file there yet: what you save there is applied at once')] : []),
    '',
    proxyTable(status.proxies, width ?? Number.POSITIVE_INFINITY),
    '',
  ];
  if (api) lines.push(`agent API ${api}`);
  // Not HTTP_PROXY: curl heeds only http_proxy, in small letters.
  const hint = status.proxies.flatMap((p) =>
    p.listening.filter((l) => l.purpose === 'http-proxy').map((l) => `curl -x http://${l.address} ${example}`),
  )[0];
  if (hint) lines.push(`try: ${paint('cyan', hint)}`);
  lines.push(paint('dim', 'Ctrl-C ends it; saved changes apply at once'), '');
  return `${lines.join('\n')}\n`;
}

/** Which engine was taken, and why unless it was asked for. */
function engineText({ engine, chosen }: ShownStatus): string {
  const name = engine.engine === 'embedded' ? engine.engine : `${engine.engine} ${engine.engineVersion}`;
  return chosen === undefined || chosen === 'asked for' ? name : `${name} (${chosen})`;
}

/** Addresses of one proxy side by side where they fit, else one below the other. */
function proxyTable(proxies: readonly ShownProxy[], width: number): string {
  const first = Math.max('PROXY'.length, ...proxies.map((p) => p.name.length)) + 3;
  const rows = proxies.flatMap((p) => {
    const addresses = p.listening.map((l) =>
      l.purpose === 'http-proxy' ? `HTTP_PROXY=http://${l.address}` : `${l.address} (${l.purpose})`,
    );
    const whole = addresses.join(', ') || 'nothing listens';
    if (first + whole.length < width) return [[p.name, whole]];
    return addresses.map((a, i) => [i === 0 ? p.name : '', a]);
  });
  return columns([['PROXY', 'SEND REQUESTS TO'], ...rows]);
}

/** What a reload led to. */
export type ShownChange =
  | { type: 'accepted'; config: { took: number }; changed: readonly unknown[]; removed: readonly string[] }
  | { type: 'refused'; config: { took: number } }
  | { type: 'proxy-refused'; proxy: { node: { name: string; namespace: string }; applied: unknown } };

/** One line after a reload. */
export function changeText(event: ShownChange, status: ShownStatus, color: boolean): string {
  const paint = (style: Style, text: string): string => (color ? styleText(style, text, { validateStream: false }) : text);
  if (event.type === 'proxy-refused') {
    const { node, applied } = event.proxy;
    const now = applied ? 'its last good configuration runs on' : 'it does not run';
    return `${paint('red', 'refused')} by the proxy of ${node.name}.${node.namespace}: ${now}; tried again every few seconds\n`;
  }
  const took = `${Math.round(event.config.took)} ms`;
  if (event.type === 'refused') return `${paint('red', 'refused')} after ${took}: the last good configuration runs on\n`;
  const changed = event.changed.length;
  const removed = event.removed.length;
  const parts = [
    changed === 0 && removed === 0
      ? 'nothing changes for any proxy'
      : `${count(changed, 'proxy', 'proxies')} of ${status.proxies.length} changed`,
  ];
  if (removed > 0) parts.push(`${count(removed, 'proxy', 'proxies')} removed`);
  return `${paint('green', 'applied')} in ${took}: ${parts.join(', ')}\n`;
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}
