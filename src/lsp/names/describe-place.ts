import { formatPosition, originOf } from '../../config/resource.ts';
import type { Place } from './mesh-index.ts';

/** What a name stands for, in Markdown: the object, its ports, labels or servers, and where it is. */
export function describePlace({ resource, at }: Place): string {
  const spec = resource.spec as Record<string, unknown>;
  const lines = [`**${originOf(resource)}**`, ...details(resource.kind, spec, at)];
  lines.push(`\`${formatPosition(resource.source.positionOf(at))}\``);
  return lines.join('  \n');
}

function details(kind: string, spec: Record<string, unknown>, at: Place['at']): string[] {
  if (kind === 'Service' || kind === 'ServiceEntry') {
    const ports = entries(spec['ports']).map((port) => [port['port'] ?? port['number'], port['name']].filter(isShown).join(' '));
    const hosts = kind === 'ServiceEntry' && Array.isArray(spec['hosts']) ? [`hosts ${spec['hosts'].join(', ')}`] : [];
    return [...hosts, ...(ports.length > 0 ? [`ports ${ports.join(', ')}`] : []), ...labels('selects', spec['selector'])];
  }
  if (kind === 'DestinationRule' && at[1] === 'subsets' && typeof at[2] === 'number') {
    const subset = entries(spec['subsets'])[at[2]];
    return [`subset of ${String(spec['host'])}`, ...labels('labels', subset?.['labels'])];
  }
  if (kind === 'Gateway') {
    return entries(spec['servers']).flatMap((server) => {
      const port = server['port'] as Record<string, unknown> | undefined;
      const hosts = Array.isArray(server['hosts']) ? server['hosts'].join(', ') : '';
      return port === undefined ? [] : [`${port['protocol']} ${port['number']}: ${hosts}`];
    });
  }
  return [];
}

const isShown = (value: unknown): boolean => value !== undefined && value !== '';

function entries(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter((item) => item !== null && typeof item === 'object') : [];
}

function labels(word: string, value: unknown): string[] {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return [];
  const all = Object.entries(value).filter(([, text]) => typeof text === 'string');
  return all.length === 0 ? [] : [`${word} ${all.map(([name, text]) => `${name}=${text}`).join(', ')}`];
}
