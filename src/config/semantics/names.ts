/** What names, hosts and addresses look like: Istio's validation rules, which are looser than DNS in places. */
import { isIP, isIPv4 } from 'node:net';

const DNS_LABEL = /^[A-Za-z0-9](?:[-A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;
const WILDCARD_PREFIX = /^(?:\*|(?:\*|\*-)?[A-Za-z0-9](?:[-A-Za-z0-9]*[A-Za-z0-9])?)$/;

/** 1 to 63 letters, digits and `-`, either case. */
export function isDnsLabel(text: string): boolean {
  return DNS_LABEL.test(text);
}

/** DNS labels joined by dots; one label is enough; the last one is no number; one trailing dot may be. */
export function isFqdn(text: string): boolean {
  return text.length <= 255 && areLabels(text.endsWith('.') ? text.slice(0, -1) : text, true);
}

function areLabels(text: string, checkLast: boolean): boolean {
  const labels = text.split('.');
  if (checkLast && /^[0-9]+$/.test(labels.at(-1)!)) return false;
  return labels.every(isDnsLabel);
}

/** A full name whose first label may be `*`, or begin with `*` or `*-`. */
export function isWildcardHost(text: string): boolean {
  if (text.length === 0 || text.length > 255) return false;
  const dot = text.indexOf('.');
  const first = dot === -1 ? text : text.slice(0, dot);
  if (first.length > 63 || !WILDCARD_PREFIX.test(first)) return false;
  return dot === -1 || isFqdn(text.slice(dot + 1));
}

/** Contains `*`, but neither alone nor as a whole first label. */
export function isPartialWildcard(text: string): boolean {
  return text.includes('*') && text !== '*' && !text.startsWith('*.');
}

/** A wildcard host, or the form in which gateways pass mesh TLS on: `outbound_.80_.v1_.reviews.default.svc.cluster.local`. */
export function isSniHost(text: string): boolean {
  if (isWildcardHost(text)) return true;
  const parts = text.split('_');
  if (!text.startsWith('outbound_') || parts.length < 4) return false;
  return /[0-9]/.test(parts[1]!.replaceAll('.', '')) && /[A-Za-z]/.test(parts[3]!.replaceAll('.', ''));
}

/** IPv4 without leading zeros, or IPv6, with a zone too. */
export function isIpAddress(text: string): boolean {
  return isIP(text) !== 0;
}

/** An IP address, or a CIDR whose host bits may be set. */
export function isSubnet(text: string): boolean {
  const slash = text.indexOf('/');
  if (slash === -1) return isIpAddress(text);
  const [address, bits] = [text.slice(0, slash), text.slice(slash + 1)];
  if (address.includes('%') || !isIpAddress(address) || !/^(?:0|[1-9][0-9]{0,2})$/.test(bits)) return false;
  return Number(bits) <= (isIPv4(address) ? 32 : 128);
}

/** What follows `unix://`: an abstract name (`@…`) or the absolute path of a file. */
export function isUnixPath(text: string): boolean {
  return text.startsWith('@') || (text.startsWith('/') && !text.endsWith('/'));
}

/** 1 to 65535. */
export function isPort(number: number): boolean {
  return Number.isInteger(number) && number >= 1 && number <= 65535;
}

/** Some request matches both hosts, as Istio sees it: label boundaries do not count. */
export function hostsOverlap(a: string, b: string): boolean {
  const [wildA, wildB] = [a.startsWith('*'), b.startsWith('*')];
  if (!wildA && !wildB) return a === b;
  const [restA, restB] = [a.slice(1), b.slice(1)];
  if (wildA && wildB) return restA.length >= restB.length ? restA.endsWith(restB) : restB.endsWith(restA);
  return wildA ? b.endsWith(restA) : a.endsWith(restB);
}

/** All that matches host `a` matches host `b` as well. */
export function hostInside(a: string, b: string): boolean {
  if (a === b) return true;
  if (!b.startsWith('*')) return false;
  const rest = b.slice(1);
  return a.startsWith('*') ? a.length >= b.length && a.slice(1).endsWith(rest) : a.endsWith(rest);
}

const HTTP_CLASS = new Set(['http', 'http2', 'http_proxy', 'grpc', 'grpc-web']);
const TLS_CLASS = new Set(['https', 'tls']);
const OTHERS = new Set(['tcp', 'udp', 'mongo', 'mysql', 'redis']);

/** `known` protocols are the ones that Gateway, Sidecar and ServiceEntry ports may name, in any case. */
export function protocolClass(protocol: string | undefined): 'http' | 'tls' | 'other' | 'unknown' {
  const name = (protocol ?? '').toLowerCase();
  if (HTTP_CLASS.has(name)) return 'http';
  if (TLS_CLASS.has(name)) return 'tls';
  return OTHERS.has(name) ? 'other' : 'unknown';
}
