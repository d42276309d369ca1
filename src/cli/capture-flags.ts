/** Flags that say which connections are captured. */
import { spawnSync } from 'node:child_process';
import * as Flags from '@oclif/core/flags';
import { FairleadError } from '../errors.ts';
import {
  type CaptureSettings,
  INBOUND_PORT,
  OUTBOUND_PORT,
  parseInterfaces,
  parsePorts,
  parseRanges,
} from '../install/capture/settings.ts';
import { OWN_PORTS } from '../mesh/captured-ports.ts';

const port = (description: string, initial: number) =>
  Flags.integer({ helpValue: 'PORT', description, default: initial, min: 1, max: 65_535 });
const list = (helpValue: string, description: string) => Flags.string({ helpValue, description });

/** Whoever sets a host up by hand comes by SSH. */
const EXCLUDED_INBOUND = [22, ...OWN_PORTS].join(',');

export const captureFlags = {
  'proxy-user': Flags.string({
    helpValue: 'USER',
    multiple: true,
    required: true,
    description: 'user, by name or number, that the agent and its proxy run as: what it sends is not captured',
  }),
  'proxy-group': Flags.string({ helpValue: 'GROUP', multiple: true, description: 'the same for a group' }),
  'outbound-port': port('where the proxy listens for what the application sends', OUTBOUND_PORT),
  'inbound-port': port('where the proxy listens for what the application is sent', INBOUND_PORT),
  'include-inbound-ports': Flags.string({
    helpValue: 'PORTS',
    description: 'ports on which the application is called by way of the proxy; * is all but the excluded',
    default: '*',
  }),
  'exclude-inbound-ports': Flags.string({
    helpValue: 'PORTS',
    description: 'ports on which it is reached past the proxy; in place of the default',
    default: EXCLUDED_INBOUND,
  }),
  'include-outbound-ports': list('PORTS', 'ports that are captured wherever they are called'),
  'exclude-outbound-ports': list('PORTS', 'ports that are called past the proxy'),
  'include-outbound-ranges': Flags.string({
    helpValue: 'CIDRS',
    description: 'networks that are called by way of the proxy; * is all but the excluded',
    default: '*',
  }),
  'exclude-outbound-ranges': list('CIDRS', 'networks that are called past the proxy'),
  'exclude-interfaces': list('NAMES', 'network interfaces on which nothing is captured'),
};

export interface CaptureFlags {
  'proxy-user': string[];
  'proxy-group'?: string[] | undefined;
  'outbound-port': number;
  'inbound-port': number;
  'include-inbound-ports': string;
  'exclude-inbound-ports': string;
  'include-outbound-ports'?: string | undefined;
  'exclude-outbound-ports'?: string | undefined;
  'include-outbound-ranges': string;
  'exclude-outbound-ranges'?: string | undefined;
  'exclude-interfaces'?: string | undefined;
}

/** Throws E_USAGE. */
export function captureSettings(flags: CaptureFlags): CaptureSettings {
  const ports = (flag: ListFlag): number[] => understood(flags, flag, parsePorts, 'ports such as 80,8443');
  const ranges = (flag: ListFlag): string[] => understood(flags, flag, parseRanges, 'networks such as 10.0.0.0/8,fd00::/8');
  if (flags['inbound-port'] === flags['outbound-port'])
    throw new FairleadError('E_USAGE', `--inbound-port and --outbound-port are both ${flags['inbound-port']}`, {
      next: 'The proxy has a listener for each.',
    });
  return {
    proxyUsers: flags['proxy-user'].map((user) => idOf(user, 'user')),
    proxyGroups: (flags['proxy-group'] ?? []).map((group) => idOf(group, 'group')),
    outboundPort: flags['outbound-port'],
    inboundPort: flags['inbound-port'],
    includeInboundPorts: flags['include-inbound-ports'].trim() === '*' ? '*' : ports('include-inbound-ports'),
    excludeInboundPorts: ports('exclude-inbound-ports'),
    includeOutboundPorts: ports('include-outbound-ports'),
    excludeOutboundPorts: ports('exclude-outbound-ports'),
    includeOutboundRanges: flags['include-outbound-ranges'].trim() === '*' ? '*' : ranges('include-outbound-ranges'),
    excludeOutboundRanges: ranges('exclude-outbound-ranges'),
    excludeInterfaces: understood(flags, 'exclude-interfaces', parseInterfaces, 'names of network interfaces such as eth1,docker0'),
  };
}

type ListFlag = Exclude<keyof CaptureFlags, 'proxy-user' | 'proxy-group' | 'outbound-port' | 'inbound-port'>;

function understood<T>(flags: CaptureFlags, flag: ListFlag, parse: (text: string) => T[] | undefined, like: string): T[] {
  const read = parse(flags[flag] ?? '');
  if (read !== undefined) return read;
  throw new FairleadError('E_USAGE', `--${flag} ${JSON.stringify(flags[flag])} is not a list of ${like}`, {
    next: 'Separate them by commas.',
  });
}

/** The kernel compares numbers; a name is looked up as everything on this host does it. */
function idOf(typed: string, kind: 'user' | 'group'): number {
  if (/^\d{1,10}$/.test(typed) && Number(typed) < 2 ** 32 - 1) return Number(typed);
  const found = /^[A-Za-z0-9_][\w.@-]*\$?$/.test(typed) ? lookUp(typed, kind) : undefined;
  if (found !== undefined) return found;
  throw new FairleadError('E_USAGE', `--proxy-${kind}: there is no ${kind} ${JSON.stringify(typed)} here`, {
    next: `Name the ${kind} that the agent runs as, or its number.`,
  });
}

function lookUp(name: string, kind: 'user' | 'group'): number | undefined {
  const { status, stdout } = spawnSync('getent', [kind === 'user' ? 'passwd' : 'group', name], { encoding: 'utf8' });
  const id = status === 0 ? stdout.split(':')[2] : undefined;
  return id === undefined || !/^\d+$/.test(id) ? undefined : Number(id);
}
