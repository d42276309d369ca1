import type { Rule } from '../kinds/security.ts';
import type { FieldPath } from '../resource.ts';
import { quote } from '../validation/describe-value.ts';
import type { Report } from '../validation/report.ts';
import { isIpAddress, isSubnet } from './names.ts';

type Condition = NonNullable<Rule['when']>[number];
type Check = (values: readonly string[], path: FieldPath, report: Report) => void;

const RULE = 'semantic/condition';
const anything: Check = () => {};

/** Says the first of `values` that `problem` finds fault with. */
function first(values: readonly string[], path: FieldPath, report: Report, problem: (value: string) => string | undefined): void {
  for (const [i, value] of values.entries()) {
    const found = problem(value);
    if (found === undefined) continue;
    report.error([...path, i], RULE, found);
    return;
  }
}

/** Addresses and CIDRs, each. */
export const checkIpBlocks: Check = (values, path, report) => {
  for (const [i, value] of values.entries()) {
    if (value.includes('/') ? isSubnet(value) : isIpAddress(value)) continue;
    report.error([...path, i], 'semantic/address', `${quote(value)} is neither an IP address nor a CIDR`);
  }
};

/** Ports as text, 0 too. */
export const checkPortTexts: Check = (values, path, report) => {
  for (const [i, value] of values.entries()) {
    if (/^[0-9]+$/.test(value) && Number(value) <= 65535) continue;
    report.error([...path, i], 'semantic/port', `a port is 0 to 65535, not ${quote(value)}`);
  }
};

const MAX_ACCOUNT = 320;

/** `name` or `namespace/name`; says the first that is neither. */
export const checkServiceAccounts: Check = (values, path, report) => {
  if (values.length > 16) report.error(path, RULE, `at most 16 service accounts are possible, not ${values.length}`, { atKey: true });
  else
    first(values, path, report, (value) => {
      const parts = value.split('/');
      if (value.includes('*')) return `a service account has no \`*\`: ${quote(value)}`;
      if (parts.length > 2 || parts.includes('')) return `${quote(value)} must be \`name\` or \`namespace/name\``;
      return value.length > MAX_ACCOUNT ? `a service account has at most ${MAX_ACCOUNT} characters` : undefined;
    });
};

/** Trust domains, with one `*` at either end. */
export function checkTrustDomains(values: readonly string[], path: FieldPath, report: Report, slash = false): void {
  first(values, path, report, (value) => {
    const star = value.indexOf('*');
    if (star !== value.lastIndexOf('*') || (star > 0 && star < value.length - 1)) {
      return `a trust domain has at most one \`*\`, at its beginning or end: ${quote(value)}`;
    }
    return !slash && value.includes('/') ? `a trust domain has no \`/\`: ${quote(value)}` : undefined;
  });
}

const PLAIN: Readonly<Record<string, Check>> = {
  'source.ip': checkIpBlocks,
  'remote.ip': checkIpBlocks,
  'destination.ip': checkIpBlocks,
  'destination.port': checkPortTexts,
  'source.serviceAccount': checkServiceAccounts,
  'source.trustDomain': (values, path, report) => checkTrustDomains(values, path, report, true),
  'source.namespace': anything,
  'source.principal': anything,
  'request.auth.principal': anything,
  'request.auth.audiences': anything,
  'request.auth.presenter': anything,
  'connection.sni': anything,
};

const BRACKETED = ['request.headers', 'request.auth.claims', 'experimental.envoy.filters.'];
const GONE: Readonly<Record<string, string>> = {
  'destination.namespace': 'The namespace of the policy says it',
  'destination.name': 'Use `selector`',
  'destination.user': 'Use `selector`',
};

/** One entry of `when`. A wrong key is said once for `values` and once for `notValues`, as Istio does. */
export function checkCondition({ key, values = [], notValues = [] }: Condition, path: FieldPath, report: Report): void {
  if (key === '') report.error([...path, 'key'], RULE, 'a condition needs a key');
  if (values.length === 0 && notValues.length === 0) {
    report.error(path, RULE, 'a condition needs `values` or `notValues`');
  }
  if (key === '') return;
  for (const [field, list] of [
    ['values', values],
    ['notValues', notValues],
  ] as const) {
    if (list.length === 0) continue;
    const at = [...path, field];
    const problem = keyProblem(key);
    if (problem !== undefined) report.error([...path, 'key'], RULE, problem.message, { hint: problem.hint });
    else (Object.hasOwn(PLAIN, key) ? PLAIN[key]! : anything)(list, at, report);
    const empty = list.indexOf('');
    if (empty !== -1) report.error([...at, empty], RULE, 'a value must not be empty');
  }
}

function keyProblem(key: string): { message: string; hint?: string } | undefined {
  if (Object.hasOwn(PLAIN, key)) return undefined;
  if (BRACKETED.some((prefix) => key.startsWith(prefix))) {
    if (/^[^[\]]+\[[^\]]+\]/.test(key)) return undefined;
    return { message: `${quote(key)} must be followed by a name in brackets`, hint: 'As in `request.headers[x-user]`' };
  }
  if (key.startsWith('destination.labels') || Object.hasOwn(GONE, key)) {
    return { message: `the key ${quote(key)} is not supported any more`, hint: GONE[key] ?? 'Use `selector`' };
  }
  return {
    message: `there is no key ${quote(key)}`,
    hint: `Keys are ${Object.keys(PLAIN).join(', ')}, request.headers[…] and request.auth.claims[…]`,
  };
}
