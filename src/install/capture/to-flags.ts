import { type CaptureSettings, captureAll } from './settings.ts';

/** What `fairlead agent capture apply` is told for these settings; what is everything, or nothing, is left out. */
export function captureArguments(settings: CaptureSettings): string[] {
  const { proxyUsers, proxyGroups, inboundPort, outboundPort } = settings;
  const usual = captureAll(0, 0);
  const list = (flag: string, values: readonly (number | string)[]): string[] =>
    values.length === 0 ? [] : [`--${flag}`, values.join(',')];
  const some = (flag: string, values: readonly (number | string)[] | '*'): string[] =>
    values === '*' ? [] : [`--${flag}`, values.join(',')];
  return [
    ...proxyUsers.flatMap((user) => ['--proxy-user', String(user)]),
    ...proxyGroups.flatMap((group) => ['--proxy-group', String(group)]),
    ...(outboundPort === usual.outboundPort ? [] : ['--outbound-port', String(outboundPort)]),
    ...(inboundPort === usual.inboundPort ? [] : ['--inbound-port', String(inboundPort)]),
    ...some('include-inbound-ports', settings.includeInboundPorts),
    // The command's own default leaves out SSH, too.
    ...['--exclude-inbound-ports', settings.excludeInboundPorts.join(',')],
    ...list('include-outbound-ports', settings.includeOutboundPorts),
    ...list('exclude-outbound-ports', settings.excludeOutboundPorts),
    ...some('include-outbound-ranges', settings.includeOutboundRanges),
    ...list('exclude-outbound-ranges', settings.excludeOutboundRanges),
    ...list('exclude-interfaces', settings.excludeInterfaces),
  ];
}
