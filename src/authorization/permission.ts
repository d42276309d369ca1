import type { PermissionJson } from '#envoy-api/envoy/config/rbac/v3/rbac_pb.js';
import type { ProblemList } from '../routing/problems.ts';
import { compileStringMatcher } from '../routing/string-matcher.ts';
import { allOf, always, anyOf, type InputTest, never } from './input-test.ts';
import { compileIpTest } from './ip-test.ts';
import { compileMetadataRule, compileSourcedMetadata, type SourcedMetadataJson } from './metadata-test.ts';
import { compileHeaderTest, compilePathTest } from './request-test.ts';
import { ruleOf } from './rule-of.ts';
import { compileUriTemplate } from './uri-template.ts';

type Rules = { [K in keyof Required<PermissionJson>]: NonNullable<PermissionJson[K]> } & { sourcedMetadata: SourcedMetadataJson };
type Compile<K extends keyof Rules> = (json: Rules[K], path: string, problems: ProblemList) => InputTest;

const COMPILERS: { readonly [K in keyof Rules]: Compile<K> } = {
  andRules: ({ rules = [] }, path, problems) => allOf(compileSet(rules, path, problems)),
  orRules: ({ rules = [] }, path, problems) => anyOf(compileSet(rules, path, problems)),
  any(json, path, problems) {
    if (json !== true) problems.invalid(path, 'must be true');
    return always;
  },
  header: compileHeaderTest,
  urlPath: compilePathTest,
  destinationIp: (json, path, problems) => compileIpTest(json, ({ connection }) => connection.destinationIp, path, problems),
  destinationPort(json, path, problems) {
    if (json > 65_535) problems.invalid(path, 'must be at most 65535');
    return ({ connection }) => connection.destinationPort === json;
  },
  destinationPortRange(json, path, problems) {
    const { start = 0, end = 0 } = json;
    for (const [name, value] of [['start', start] as const, ['end', end] as const])
      if (value < 0 || value > 65_536) problems.invalid(`${path}.${name}`, `${value} is out of bounds`);
    if (start >= end) problems.invalid(path, `its start ${start} must be below its end ${end}`);
    return ({ connection }) => connection.destinationPort >= start && connection.destinationPort < end;
  },
  metadata: compileMetadataRule,
  sourcedMetadata: compileSourcedMetadata,
  notRule(json, path, problems) {
    const test = compilePermission(json, path, problems);
    return (input) => !test(input);
  },
  requestedServerName(json, path, problems) {
    const matcher = compileStringMatcher(json, path, problems);
    return ({ connection }) => matcher.test(connection.sni);
  },
  matcher(json, path, problems) {
    problems.unsupported(path, `the matcher ${json.name ?? ''} does not run`);
    return never;
  },
  uriTemplate: (json, path, problems) => compileUriTemplate(json.typedConfig, path, problems),
};

/** Compiles `envoy.config.rbac.v3.Permission`: what is done. */
export function compilePermission(json: PermissionJson, path: string, problems: ProblemList): InputTest {
  const rule = ruleOf(json, COMPILERS, path, problems);
  if (rule === undefined) return never;
  const compile = COMPILERS[rule] as (value: unknown, path: string, problems: ProblemList) => InputTest;
  return compile((json as Record<string, unknown>)[rule], `${path}.${rule}`, problems);
}

function compileSet(rules: readonly PermissionJson[], path: string, problems: ProblemList): InputTest[] {
  if (rules.length === 0) problems.invalid(`${path}.rules`, 'must not be empty');
  return rules.map((rule, i) => compilePermission(rule, `${path}.rules[${i}]`, problems));
}
