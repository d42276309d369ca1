/** What `fairlead up` says at its start and at each change. */
import { styleText } from 'node:util';
import type { ShownProxy, ShownStatus } from './agent-status.ts';
import { columns } from './columns.ts';

type Style = Parameters<typeof styleText>[0];

/** The mesh at a glance: who runs, where to send requests, and a command to try. */
export function meshText(status: ShownStatus, api: string | undefined, paths: readonly string[], color: boolean): string {
  const paint = (style: Style, text: string): string => (color ? styleText(style, text, { validateStream: false }) : text);
  const { files, resources } = status.config;
  const lines = [
    `${paint('bold', `fairlead ${status.version}`)}  ${paths.join(', ')}: ${count(files, 'file')}, ${count(resources, 'resource')}; engine ${status.engine.engine}`,
    '',
    columns([['PROXY', 'SEND REQUESTS TO'], ...status.proxies.map((p) => [p.name, addresses(p)])]),
    '',
  ];
  if (api) lines.push(`agent API ${api}`);
  const hint = status.proxies.flatMap((p) =>
    p.listening.filter((l) => l.purpose === 'http-proxy').map((l) => `HTTP_PROXY=http://${l.address} curl http://SERVICE/`),
  )[0];
  if (hint) lines.push(`try: ${paint('cyan', hint)}`);
  lines.push(paint('dim', 'Ctrl-C ends it; saved changes apply at once'), '');
  return `${lines.join('\n')}\n`;
}

function addresses(proxy: ShownProxy): string {
  const parts = proxy.listening.map((l) => (l.purpose === 'http-proxy' ? `HTTP_PROXY=http://${l.address}` : `${l.address} (${l.purpose})`));
  return parts.join(', ') || 'nothing listens';
}

/** One line after a reload. */
export function changeText(
  event: {
    type: 'accepted' | 'refused';
    config: { took: number; files: number };
    changed?: readonly unknown[];
    removed?: readonly string[];
  },
  status: ShownStatus,
  color: boolean,
): string {
  const paint = (style: Style, text: string): string => (color ? styleText(style, text, { validateStream: false }) : text);
  const took = `${Math.round(event.config.took)} ms`;
  if (event.type === 'refused') return `${paint('red', 'refused')} after ${took}: the last good configuration runs on\n`;
  const changed = event.changed?.length ?? 0;
  const removed = event.removed?.length ?? 0;
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
