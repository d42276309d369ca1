/** Checks that the rules of several kinds share. Each reports what is wrong at `path` and returns nothing. */

import { re2 } from '../../re2.ts';
import type { Destination } from '../kinds/networking.ts';
import type { FieldPath } from '../resource.ts';
import { quote } from '../validation/describe-value.ts';
import type { Report } from '../validation/report.ts';
import { isDnsLabel, isFqdn, isPort, isSubnet, isWildcardHost } from './names.ts';

/** Envoy's default limit on the size of an expression. Bytes. */
const MAX_REGEX = 1024;

/** Expressions known to be good: the same few stand in most routes. Bounded, for agents that run for months. */
const good = new Set<string>();
const MAX_GOOD = 1000;

/** An RE2 expression, as Envoy runs it: no look-around, no back-references. */
export function checkRegex(regex: string, path: FieldPath, report: Report): void {
  if (good.has(regex)) return;
  const bytes = Buffer.byteLength(regex);
  if (bytes > MAX_REGEX) {
    report.error(path, 'semantic/regex', `the expression has ${bytes} bytes, the limit is ${MAX_REGEX}`);
    return;
  }
  try {
    re2().RE2JS.compile(regex);
    if (good.size >= MAX_GOOD) good.clear();
    good.add(regex);
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).replace(/^error parsing regexp: /, '');
    const hint = /\(\?[=!<]|\\[1-9]/.test(regex) ? 'RE2 has neither look-around nor back-references' : undefined;
    report.error(path, 'semantic/regex', `${quote(regex)} is no RE2 expression: ${reason}`, { hint });
  }
}

/** `exact`, `prefix` or `regex`; nothing at all is fine. */
export function checkStringMatch(match: { exact?: string; prefix?: string; regex?: string }, path: FieldPath, report: Report): void {
  if (match.prefix === '') report.error([...path, 'prefix'], 'semantic/string-match', '`prefix` must not be empty');
  if (match.regex === '') report.error([...path, 'regex'], 'semantic/string-match', '`regex` must not be empty');
  else if (match.regex !== undefined) checkRegex(match.regex, [...path, 'regex'], report);
}

export function checkDestination(destination: Destination, path: FieldPath, report: Report): void {
  const { host, subset, port } = destination;
  if (host === '*') report.error([...path, 'host'], 'semantic/host', 'a destination must be one service, not `*`');
  else checkWildcardHost(host, [...path, 'host'], report);
  if (subset !== undefined && subset !== '') checkSubsetName(subset, [...path, 'subset'], report);
  if (port !== undefined && !isPort(port.number ?? 0)) {
    report.error([...path, 'port', 'number'], 'semantic/port', `a port is 1 to 65535, not ${port.number ?? 'empty'}`);
  }
}

export function checkSubsetName(name: string, path: FieldPath, report: Report): void {
  if (!isDnsLabel(name)) {
    report.error(
      path,
      'semantic/name',
      `the subset name ${quote(name)} must be letters, digits and \`-\`, at most 63, and begin and end with a letter or digit`,
    );
  }
}

export function checkWildcardHost(host: string, path: FieldPath, report: Report): void {
  if (!isWildcardHost(host)) report.error(path, 'semantic/host', notAHost(host), { hint: hostHint(host) });
}

export function notAHost(host: string): string {
  return host === '' ? 'the host must not be empty' : `${quote(host)} is no host name`;
}

/** What people write in place of a host. */
export function hostHint(host: string): string | undefined {
  if (host.includes('://')) return 'Leave out the scheme and the path';
  if (/:\d+$/.test(host)) return 'Leave out the port: it has a field of its own';
  if (host.includes('/')) return 'Leave out the path; a namespace is written as in `reviews.shop.svc.cluster.local`';
  if (host.includes('_')) return 'Host names have no `_`';
  if (host.includes('*')) return 'A wildcard stands first: `*.example.com`';
  return undefined;
}

/** Namespaces that a resource is exported to. `~`, no namespace at all, is for services only. */
export function checkExportTo(
  exportTo: readonly string[] | undefined,
  own: string,
  path: FieldPath,
  report: Report,
  options: { none?: boolean; onlyOwn?: boolean } = {},
): void {
  if (exportTo === undefined) return;
  const seen = new Set<string>();
  for (const [i, entry] of exportTo.entries()) {
    const at = [...path, i];
    const special = entry === '.' || entry === '*' || (options.none === true && entry === '~');
    const namespace = entry === '.' ? own : entry;
    if (!special && !isDnsLabel(entry)) {
      report.error(at, 'semantic/export-to', `${quote(entry)} is no namespace, \`.\` or \`*\``);
    } else if (seen.has(namespace)) {
      report.error(
        at,
        'semantic/export-to',
        `namespace ${quote(entry)} is there twice${entry === '.' || entry === own ? ': `.` is the own one' : ''}`,
      );
    } else if (exportTo.length > 1 && (entry === '*' || entry === '~')) {
      report.error(at, 'semantic/export-to', `\`${entry}\` can only stand alone`);
    } else if (options.onlyOwn === true && namespace !== own) {
      report.error(at, 'semantic/export-to', 'with a workloadSelector nothing but the own namespace is possible', { hint: 'Use `.`' });
    }
    seen.add(namespace);
  }
}

const LABEL_KEY = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9.]*[A-Za-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;

export function checkLabels(labels: Readonly<Record<string, string>> | undefined, path: FieldPath, report: Report): void {
  if (labels === undefined) return;
  for (const [key, value] of Object.entries(labels)) {
    if (!LABEL_KEY.test(key)) report.error([...path, key], 'semantic/label', `${quote(key)} is no label name`, { atKey: true });
    if (!LABEL_VALUE.test(value)) report.error([...path, key], 'semantic/label', `${quote(value)} is no label value`);
  }
}

/** Selectors by labels: no empty key, no `*`; one without labels selects everything, which is worth saying. `path` is that of the labels. */
export function checkSelector(labels: Readonly<Record<string, string>> | undefined, path: FieldPath, report: Report): void {
  const entries = Object.entries(labels ?? {});
  if (entries.length === 0) {
    report.warning(path.slice(0, -1), 'semantic/selector', 'a selector without labels selects every workload of the namespace', {
      hint: 'Leave the selector out if that is meant',
    });
  }
  for (const [key, value] of entries) {
    if (key === '') report.error([...path, key], 'semantic/selector', 'a label name must not be empty', { atKey: true });
    if (key.includes('*') || value.includes('*'))
      report.error([...path, key], 'semantic/selector', 'a selector compares whole values: `*` is not possible');
  }
}

/** Gateways as VirtualServices name them: `mesh`, `name` or `namespace/name`. */
export function checkGatewayNames(gateways: readonly string[] | undefined, path: FieldPath, report: Report): void {
  for (const [i, gateway] of (gateways ?? []).entries()) {
    const at = [...path, i];
    const parts = gateway.split('/');
    if (parts.length === 1) {
      if (!isFqdn(gateway)) report.error(at, 'semantic/gateway', `${quote(gateway)} is no name of a Gateway`);
      else if (gateway.includes('.')) {
        const [name, namespace] = gateway.split('.');
        report.warning(at, 'semantic/gateway', `${quote(gateway)} is an old way of naming a Gateway`, {
          hint: `Write \`${namespace}/${name}\``,
        });
      }
    } else if (parts.length !== 2 || !isDnsLabel(parts[0]!) || !isDnsLabel(parts[1]!)) {
      report.error(at, 'semantic/gateway', `${quote(gateway)} must be \`name\` or \`namespace/name\``);
    }
  }
}

export function checkSubnets(subnets: readonly string[] | undefined, path: FieldPath, report: Report): void {
  for (const [i, subnet] of (subnets ?? []).entries()) {
    if (!isSubnet(subnet)) report.error([...path, i], 'semantic/address', `${quote(subnet)} is neither an IP address nor a CIDR`);
  }
}
