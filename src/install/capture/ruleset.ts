/**
 * The rules that redirect connections to the proxy, for `nft -f`. They decide as those of Istio's init container do, for IPv4 and IPv6
 * alike. https://istio.io/latest/docs/reference/config/annotations/ and https://wiki.nftables.org/wiki-nftables/index.php/Performing_Network_Address_Translation_(NAT)
 */
import { inboundSource } from '../../envoy/clusters/fixed.ts';
import { type CaptureSettings, coversLoopback, type Ranges } from './settings.ts';

export const TABLE = 'inet fairlead';

/** Takes the table away, whether or not it is there. */
const WITHOUT = `table ${TABLE}\ndelete table ${TABLE}\n`;

/** What removes all rules; nft carries a file out whole or not at all. */
export const removal = (): string => WITHOUT;

/**
 * What puts the rules in place of those that are there. Only the first packet of a connection is looked at, so connections that are there
 * already stay as they are. UDP, and with it DNS, is left alone.
 */
export function ruleset(settings: CaptureSettings): string {
  const { inboundPort, outboundPort, excludeInterfaces } = settings;
  const interfaces = excludeInterfaces.map((name) => `"${name}"`);
  return `${WITHOUT}table ${TABLE} {
${chain('prerouting', [HOOK('prerouting'), ...except('iifname', interfaces), 'meta l4proto tcp jump inbound'])}
${chain('output', [HOOK('output'), ...except('oifname', interfaces), 'meta l4proto tcp jump outbound'])}
${chain('inbound', [...inboundRules(settings)])}
${chain('outbound', outboundRules(settings))}
${chain('to_inbound', [`meta l4proto tcp redirect to :${inboundPort}`])}
${chain('to_outbound', [`meta l4proto tcp redirect to :${outboundPort}`])}
}
`;
}

/** The kernel's own place for the change of destinations. */
const HOOK = (hook: 'prerouting' | 'output'): string =>
  `type nat hook ${hook} priority ${hook === 'output' ? '-100' : 'dstnat'}; policy accept;`;

function inboundRules({ includeInboundPorts, excludeInboundPorts }: CaptureSettings): string[] {
  if (includeInboundPorts === '*') return [...except('tcp dport', excludeInboundPorts), 'goto to_inbound'];
  return whereIs('tcp dport', includeInboundPorts, 'goto to_inbound');
}

function outboundRules(settings: CaptureSettings): string[] {
  const { includeOutboundPorts, excludeOutboundPorts, includeOutboundRanges, excludeOutboundRanges } = settings;
  const loopbackToo = includeOutboundRanges !== '*' && includeOutboundRanges.some(coversLoopback);
  return [
    ...except('tcp dport', excludeOutboundPorts),
    '# What the proxy brings to the application.',
    `oifname "lo" ip saddr ${inboundSource.ipv4} return`,
    `oifname "lo" ip6 saddr ${inboundSource.ipv6} return`,
    '# A call to a service of which this is an endpoint arrives as calls of others do. All else that the proxy sends goes where it goes.',
    ...settings.proxyUsers.flatMap((user) => [
      `meta skuid ${user} oifname "lo" ip daddr != 127.0.0.1 jump inbound`,
      `meta skuid ${user} oifname "lo" ip6 daddr != ::1 jump inbound`,
    ]),
    ...except('meta skuid', settings.proxyUsers),
    ...(loopbackToo ? [] : ['# The application and itself.', 'oifname "lo" return']),
    ...except('meta skgid', settings.proxyGroups),
    'ip daddr 127.0.0.1 return',
    'ip6 daddr ::1 return',
    ...excludeOutboundRanges.map((range) => `${family(range)} daddr ${range} return`),
    ...whereIs('tcp dport', includeOutboundPorts, 'goto to_outbound'),
    ...reached(includeOutboundRanges),
  ];
}

const reached = (ranges: Ranges): string[] =>
  ranges === '*' ? ['goto to_outbound'] : ranges.map((range) => `${family(range)} daddr ${range} goto to_outbound`);

const family = (range: string): string => (range.includes(':') ? 'ip6' : 'ip');

/** nft refuses a set without elements. */
const whereIs = (what: string, values: readonly (number | string)[], verdict: string): string[] =>
  values.length === 0 ? [] : [`${what} { ${values.join(', ')} } ${verdict}`];

const except = (what: string, values: readonly (number | string)[]): string[] => whereIs(what, values, 'return');

const chain = (name: string, lines: readonly string[]): string => `  chain ${name} {\n${lines.map((line) => `    ${line}\n`).join('')}  }`;
