import type { Principal_AuthenticatedJson, PrincipalJson } from '#envoy-api/envoy/config/rbac/v3/rbac_pb.js';
import type { ProblemList } from '../routing/problems.ts';
import { compileStringMatcher } from '../routing/string-matcher.ts';
import { allOf, always, anyOf, type InputTest, never } from './input-test.ts';
import { compileIpTest } from './ip-test.ts';
import { compileMetadataRule, compileSourcedMetadata, type SourcedMetadataJson } from './metadata-test.ts';
import { compileHeaderTest, compilePathTest } from './request-test.ts';
import { ruleOf } from './rule-of.ts';

type Rules = { [K in keyof Required<PrincipalJson>]: NonNullable<PrincipalJson[K]> } & { sourcedMetadata: SourcedMetadataJson };
type Compile<K extends keyof Rules> = (json: Rules[K], path: string, problems: ProblemList) => InputTest;

const COMPILERS: { readonly [K in keyof Rules]: Compile<K> } = {
  andIds: ({ ids = [] }, path, problems) => allOf(compileSet(ids, path, problems)),
  orIds: ({ ids = [] }, path, problems) => anyOf(compileSet(ids, path, problems)),
  any(json, path, problems) {
    if (json !== true) problems.invalid(path, 'must be true');
    return always;
  },
  authenticated: compileAuthenticated,
  sourceIp: (json, path, problems) => compileIpTest(json, ({ connection }) => connection.sourceIp, path, problems),
  directRemoteIp: (json, path, problems) => compileIpTest(json, ({ connection }) => connection.directRemoteIp, path, problems),
  remoteIp: (json, path, problems) => compileIpTest(json, ({ connection }) => connection.remoteIp, path, problems),
  header: compileHeaderTest,
  urlPath: compilePathTest,
  metadata: compileMetadataRule,
  sourcedMetadata: compileSourcedMetadata,
  filterState(_json, path, problems) {
    problems.unsupported(path, 'there is no filter state');
    return never;
  },
  notId(json, path, problems) {
    const test = compilePrincipal(json, path, problems);
    return (input) => !test(input);
  },
};

/** Compiles `envoy.config.rbac.v3.Principal`: who does it. */
export function compilePrincipal(json: PrincipalJson, path: string, problems: ProblemList): InputTest {
  const rule = ruleOf(json, COMPILERS, path, problems);
  if (rule === undefined) return never;
  const compile = COMPILERS[rule] as (value: unknown, path: string, problems: ProblemList) => InputTest;
  return compile((json as Record<string, unknown>)[rule], `${path}.${rule}`, problems);
}

/**
 * Envoy: never without TLS; without a name any TLS connection will do, client certificate or none. A name is looked for among URI SANs, then
 * DNS SANs, then it is the subject, which is empty where there is no certificate.
 */
function compileAuthenticated(json: Principal_AuthenticatedJson, path: string, problems: ProblemList): InputTest {
  if (json.principalName === undefined) return ({ connection }) => connection.tls;
  const matcher = compileStringMatcher(json.principalName, `${path}.principalName`, problems);
  return ({ connection: { tls, peer } }) => {
    if (!tls) return false;
    if (peer === undefined) return matcher.test('');
    return peer.uriSans.some((name) => matcher.test(name)) || peer.dnsSans.some((name) => matcher.test(name)) || matcher.test(peer.subject);
  };
}

function compileSet(ids: readonly PrincipalJson[], path: string, problems: ProblemList): InputTest[] {
  if (ids.length === 0) problems.invalid(`${path}.ids`, 'must not be empty');
  return ids.map((id, i) => compilePrincipal(id, `${path}.ids[${i}]`, problems));
}
