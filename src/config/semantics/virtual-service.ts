import type { VirtualService } from '../kinds/networking.ts';
import type { FieldPath, Resource } from '../resource.ts';
import { quote } from '../validation/describe-value.ts';
import { errorsOnly, type Report } from '../validation/report.ts';
import { checkDestination, checkExportTo, checkGatewayNames, checkSubnets, hostHint, notAHost } from './common.ts';
import { checkSourceConditions } from './http-match.ts';
import { checkHttpRoute } from './http-route.ts';
import { hostInside, hostsOverlap, isIpAddress, isSniHost, isWildcardHost } from './names.ts';
import { checkWeights } from './weights.ts';

type Layer4Route = NonNullable<VirtualService['tcp']>[number] | NonNullable<VirtualService['tls']>[number];

/** Istio's validation of VirtualServices (IST0106). */
export function checkVirtualService(resource: Resource, report: Report): void {
  const spec = resource.spec as VirtualService;
  const hosts = spec.hosts ?? [];
  const gateways = spec.gateways ?? [];
  const gatewayOnly = gateways.length > 0 && !gateways.includes('mesh');
  const delegate = hosts.length === 0;
  if (delegate) checkDelegate(spec, report);
  if (![spec.http, spec.tcp, spec.tls].some((routes) => routes !== undefined && routes.length > 0)) {
    report.error(['spec'], 'semantic/no-route', 'the VirtualService has no routes', { atKey: true, hint: 'Add `http`, `tls` or `tcp`' });
  }
  checkGatewayNames(gateways, ['spec', 'gateways'], report);
  checkHosts(spec, gatewayOnly, report);
  for (const [i, route] of (spec.http ?? []).entries()) checkHttpRoute(route, ['spec', 'http', i], { delegate, gatewayOnly }, report);
  for (const [i, route] of (spec.tls ?? []).entries()) checkTlsRoute(route, ['spec', 'tls', i], hosts, gatewayOnly, report);
  for (const [i, route] of (spec.tcp ?? []).entries()) checkLayer4Route(route, ['spec', 'tcp', i], errorsOnly(report));
  checkExportTo(spec.exportTo, resource.metadata.namespace, ['spec', 'exportTo'], report);
}

function checkDelegate(spec: VirtualService, report: Report): void {
  for (const field of ['gateways', 'tls', 'tcp'] as const) {
    if ((spec[field] ?? []).length === 0) continue;
    report.error(['spec', field], 'semantic/delegate', `a VirtualService without \`hosts\` is a delegate, which has no \`${field}\``, {
      atKey: true,
      hint: 'Add `hosts` if it is none',
    });
  }
}

function checkHosts(spec: VirtualService, gatewayOnly: boolean, report: Report): void {
  const hosts = spec.hosts ?? [];
  const sni = gatewayOnly && (spec.tls ?? []).some((route) => route.match.some((match) => match.sniHosts.length > 0));
  let valid = true;
  for (const [i, host] of hosts.entries()) {
    const path = ['spec', 'hosts', i];
    if (!(sni ? isSniHost(host) : isWildcardHost(host)) && !isIpAddress(host)) {
      valid = false;
      report.error(path, 'semantic/host', notAHost(host), { hint: hostHint(host) });
    } else if (host === '*' && !gatewayOnly) {
      valid = false;
      report.error(path, 'semantic/host', 'the host `*` is possible at gateways only', {
        hint: 'Name hosts, or bind the VirtualService to `gateways` without `mesh`',
      });
    }
  }
  if (!valid) return;
  for (const [i, host] of hosts.entries()) {
    const other = hosts.slice(0, i).find((earlier) => hostsOverlap(earlier, host));
    if (other === undefined) continue;
    const message = other === host ? `the host ${quote(host)} is there twice` : `the host ${quote(host)} overlaps with ${quote(other)}`;
    report.error(['spec', 'hosts', i], 'semantic/duplicate-host', message, { hint: 'Remove the narrower one' });
  }
}

function checkTlsRoute(
  route: NonNullable<VirtualService['tls']>[number],
  path: FieldPath,
  hosts: readonly string[],
  gatewayOnly: boolean,
  report: Report,
): void {
  if (route.match.length === 0) report.error(path, 'semantic/match', 'a TLS route needs a match', { hint: 'Add `match` with `sniHosts`' });
  for (const [i, match] of route.match.entries()) {
    const at = [...path, 'match', i];
    if (match.sniHosts.length === 0)
      report.error([...at, 'sniHosts'], 'semantic/match', 'a TLS match needs a server name in `sniHosts`', { atKey: true });
    for (const [j, host] of match.sniHosts.entries()) {
      const place = [...at, 'sniHosts', j];
      if (isIpAddress(host)) report.warning(place, 'semantic/host', `clients send no address as server name: ${quote(host)} never matches`);
      else if (!(gatewayOnly ? isSniHost(host) : isWildcardHost(host)))
        report.error(place, 'semantic/host', notAHost(host), { hint: hostHint(host) });
      else if (!hosts.some((outer) => hostInside(host, outer))) {
        report.error(place, 'semantic/host', `the server name ${quote(host)} is in none of the \`hosts\` of the VirtualService`);
      }
    }
  }
  checkLayer4Route(route, path, report);
}

function checkLayer4Route(route: Layer4Route, path: FieldPath, report: Report): void {
  for (const [i, match] of (route.match ?? []).entries()) {
    checkSubnets(match.destinationSubnets, [...path, 'match', i, 'destinationSubnets'], report);
    checkSourceConditions(match, [...path, 'match', i], report);
  }
  if (route.route === undefined || route.route.length === 0) {
    report.error(path, 'semantic/no-route', 'the route goes nowhere', { hint: 'Add `route` with a destination' });
  }
  for (const [i, { destination }] of (route.route ?? []).entries())
    checkDestination(destination, [...path, 'route', i, 'destination'], report);
  checkWeights(route.route, [...path, 'route'], report);
}
