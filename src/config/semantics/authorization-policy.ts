import type { AuthorizationPolicy, Operation, Rule, Source } from '../kinds/security.ts';
import type { FieldPath, Resource } from '../resource.ts';
import type { Report } from '../validation/report.ts';
import { checkCondition, checkIpBlocks, checkPortTexts, checkServiceAccounts, checkTrustDomains } from './authorization-conditions.ts';
import { pathTemplateProblem } from './path-template.ts';
import { checkPolicyTarget } from './policy-target.ts';

/** Identities are known after CUSTOM has been decided. */
const NOT_FOR_CUSTOM = [
  ...['namespaces', 'notNamespaces', 'serviceAccounts', 'notServiceAccounts', 'trustDomains', 'notTrustDomains'],
  ...['principals', 'notPrincipals', 'requestPrincipals', 'notRequestPrincipals'],
] as const;
const KEYS_NOT_FOR_CUSTOM = new Set(['source.namespace', 'source.serviceAccount', 'source.trustDomain', 'source.principal']);

/** Istio's validation of AuthorizationPolicies (IST0106). */
export function checkAuthorizationPolicy(resource: Resource, report: Report): void {
  const spec = resource.spec as AuthorizationPolicy;
  const { action = 'ALLOW', provider, rules = [] } = spec;
  checkPolicyTarget(spec, report);
  if (action === 'CUSTOM') {
    if (rules.length === 0) report.error(['spec'], 'semantic/empty', 'a CUSTOM policy needs `rules`', { atKey: true });
    else if (!provider?.name)
      report.error(['spec', 'provider'], 'semantic/provider', 'a CUSTOM policy needs `provider.name`', { atKey: true });
  } else if (provider !== undefined) {
    report.error(['spec', 'provider'], 'semantic/provider', `\`provider\` is for action CUSTOM, not ${action}`, { atKey: true });
  }
  if (action === 'DENY' && rules.length === 0) {
    report.error(['spec'], 'semantic/empty', 'a DENY policy needs `rules`', { atKey: true, hint: 'To deny everything, use `rules: [{}]`' });
  }
  for (const [i, rule] of rules.entries()) checkRule(rule, action, ['spec', 'rules', i], report);
  checkDryRun(resource, action, report);
}

function checkRule(rule: Rule, action: string, path: FieldPath, report: Report): void {
  for (const [i, { source }] of (rule.from ?? []).entries()) {
    const at = [...path, 'from', i];
    if (source === undefined) report.error(at, 'semantic/empty', '`from` needs `source`');
    else checkSource(source, action, [...at, 'source'], report);
  }
  for (const [i, { operation }] of (rule.to ?? []).entries()) {
    const at = [...path, 'to', i];
    if (operation === undefined) report.error(at, 'semantic/empty', '`to` needs `operation`');
    else checkOperation(operation, [...at, 'operation'], report);
  }
  for (const [i, condition] of (rule.when ?? []).entries()) {
    const at = [...path, 'when', i];
    checkCondition(condition, at, report);
    if (action === 'CUSTOM' && (KEYS_NOT_FOR_CUSTOM.has(condition.key) || condition.key.startsWith('request.auth.'))) {
      report.error([...at, 'key'], 'semantic/custom', `\`${condition.key}\` is not known yet when a CUSTOM policy is decided`);
    }
  }
  if (action === 'DENY' && hasOnlyHttp(rule)) {
    report.warning(path, 'semantic/deny-tcp', 'the rule denies by HTTP attributes only, so on TCP ports it denies everything', {
      hint: 'Name the HTTP ports in `to.operation.ports`',
    });
  }
}

const isEmpty = (value: object): boolean => Object.values(value).every((list) => !Array.isArray(list) || list.length === 0);

function checkEmptyTexts(value: Source | Operation, path: FieldPath, report: Report): void {
  for (const [field, list] of Object.entries(value)) {
    const empty = Array.isArray(list) ? list.indexOf('') : -1;
    if (empty !== -1) report.error([...path, field, empty], 'semantic/empty', 'an entry must not be empty');
  }
}

function checkSource(source: Source, action: string, path: FieldPath, report: Report): void {
  if (isEmpty(source))
    report.error(path, 'semantic/empty', 'the source says nothing', { atKey: true, hint: 'Leave `from` out to allow any' });
  const accounts = (['serviceAccounts', 'notServiceAccounts'] as const).find((field) => (source[field] ?? []).length > 0);
  const others = (['principals', 'notPrincipals', 'namespaces', 'notNamespaces'] as const).find(
    (field) => (source[field] ?? []).length > 0,
  );
  if (accounts !== undefined && others !== undefined) {
    report.error([...path, accounts], 'semantic/exclusive', `\`${accounts}\` cannot be together with \`${others}\``, { atKey: true });
  }
  for (const field of ['ipBlocks', 'notIpBlocks', 'remoteIpBlocks', 'notRemoteIpBlocks'] as const) {
    checkIpBlocks(source[field] ?? [], [...path, field], report);
  }
  for (const field of ['serviceAccounts', 'notServiceAccounts'] as const)
    checkServiceAccounts(source[field] ?? [], [...path, field], report);
  for (const field of ['trustDomains', 'notTrustDomains'] as const) checkTrustDomains(source[field] ?? [], [...path, field], report);
  checkEmptyTexts(source, path, report);
  if (action !== 'CUSTOM') return;
  for (const field of NOT_FOR_CUSTOM) {
    if ((source[field] ?? []).length === 0) continue;
    report.error([...path, field], 'semantic/custom', `\`${field}\` is not known yet when a CUSTOM policy is decided`, { atKey: true });
  }
}

function checkOperation(operation: Operation, path: FieldPath, report: Report): void {
  if (isEmpty(operation))
    report.error(path, 'semantic/empty', 'the operation says nothing', { atKey: true, hint: 'Leave `to` out to allow any' });
  for (const field of ['ports', 'notPorts'] as const) checkPortTexts(operation[field] ?? [], [...path, field], report);
  checkEmptyTexts(operation, path, report);
  for (const field of ['paths', 'notPaths'] as const) {
    const list = operation[field] ?? [];
    const index = list.findIndex((text) => pathTemplateProblem(text) !== undefined);
    if (index !== -1) report.error([...path, field, index], 'semantic/path-template', pathTemplateProblem(list[index]!)!);
  }
}

/** Attributes by which a TCP connection can be told from others. */
const TCP_SOURCE = [
  ...['principals', 'notPrincipals', 'namespaces', 'notNamespaces', 'ipBlocks', 'notIpBlocks', 'remoteIpBlocks', 'notRemoteIpBlocks'],
  ...['serviceAccounts', 'notServiceAccounts'],
] as const;

function hasOnlyHttp({ from = [], to = [] }: Rule): boolean {
  const sources = from.flatMap(({ source }) => (source === undefined ? [] : [source]));
  const operations = to.flatMap(({ operation }) => (operation === undefined ? [] : [operation]));
  if (operations.length > 0) return !operations.some(({ ports = [], notPorts = [] }) => ports.length > 0 || notPorts.length > 0);
  return sources.length > 0 && !sources.some((source) => TCP_SOURCE.some((field) => (source[field as keyof Source] ?? []).length > 0));
}

/** `istio.io/dry-run` is a boolean, for ALLOW and DENY. */
function checkDryRun({ metadata }: Resource, action: string, report: Report): void {
  const value = metadata.annotations['istio.io/dry-run'];
  if (value === undefined) return;
  const path = ['metadata', 'annotations', 'istio.io/dry-run'];
  if (!/^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(value)) {
    report.error(path, 'semantic/dry-run', `\`istio.io/dry-run\` must be true or false, not ${JSON.stringify(value)}`);
  } else if (action !== 'ALLOW' && action !== 'DENY') {
    report.error(path, 'semantic/dry-run', `a dry run is possible for ALLOW and DENY, not ${action}`, { atKey: true });
  }
}
