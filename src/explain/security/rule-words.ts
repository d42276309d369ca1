/** Rules of RBAC filters in words: `method is "GET"`, `the client is "spiffe://…"`. */
import type { PermissionJson, PrincipalJson } from '#envoy-api/envoy/config/rbac/v3/rbac_pb.js';
import type { HeaderMatcherJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { MetadataMatcherJson } from '#envoy-api/envoy/type/matcher/v3/metadata_pb.js';
import type { StringMatcherJson } from '#envoy-api/envoy/type/matcher/v3/string_pb.js';
import type { ValueMatcherJson } from '#envoy-api/envoy/type/matcher/v3/value_pb.js';
import type { AuthorizationInput } from '../../authorization/types.ts';
import { JWT_FILTER, PAYLOAD } from '../../envoy/security/claim-matchers.ts';
import { compileHeaderMatcher } from '../../routing/header-matcher.ts';
import { compileMetadataTest } from '../../routing/metadata-matcher.ts';
import { ProblemList } from '../../routing/problems.ts';
import { compileStringMatcher } from '../../routing/string-matcher.ts';
import { identityText } from './client.ts';

/** A condition: what it is about, what is asked of that, and what there is. */
export interface RuleWords {
  readonly subject: string;
  readonly predicate: string;
  actual(input: AuthorizationInput): string;
}

export const sentence = ({ subject, predicate }: RuleWords): string => `${subject} ${predicate}`.trim();

const none = new ProblemList();
const quoted = (text: string | undefined): string => (text === undefined ? 'absent' : JSON.stringify(text));
const matches = (json: StringMatcherJson): string =>
  json.safeRegex?.regex === '.+' ? 'is present' : compileStringMatcher(json, '', none).describe();

/** Texts of several alternatives that are about one thing name it once. */
export function either(all: readonly RuleWords[]): RuleWords {
  const [first] = all;
  if (first === undefined) return { subject: 'nothing', predicate: '', actual: () => '' };
  if (all.every((w) => w.subject === first.subject)) return { ...first, predicate: [...new Set(all.map((w) => w.predicate))].join(' or ') };
  return {
    subject: all.map(sentence).join(' or '),
    predicate: '',
    actual: (input) => [...new Set(all.map((w) => w.actual(input)))].join('; '),
  };
}

const both = (all: readonly RuleWords[]): RuleWords => {
  const real = all.filter((w) => w.subject !== 'anything');
  if (real.length === 0) return ANYTHING;
  if (real.length === 1) return real[0]!;
  return {
    subject: real.map(sentence).join(' and '),
    predicate: '',
    actual: (input) => [...new Set(real.map((w) => w.actual(input)))].join('; '),
  };
};

const ANYTHING: RuleWords = { subject: 'anything', predicate: '', actual: () => '' };
const NEVER: RuleWords = { subject: 'nothing', predicate: '', actual: () => '' };

function not(inner: RuleWords): RuleWords {
  if (inner.subject === 'anything') return NEVER;
  if (inner.predicate === '') return { ...inner, subject: `not (${inner.subject})` };
  const flipped = inner.predicate.replace(/^is (?!not )/, 'is not ').replace(/^(starts|ends|contains|matches|lies) /, 'never $1 ');
  return { ...inner, predicate: / or /.test(inner.predicate) || flipped === inner.predicate ? `is none of: ${inner.predicate}` : flipped };
}

const PSEUDO: Readonly<Record<string, string>> = { ':method': 'method', ':authority': 'host', ':path': 'path' };

function ofHeader(json: HeaderMatcherJson): RuleWords {
  const name = (json.name ?? '').toLowerCase();
  const text = compileHeaderMatcher(json, 'header', '', none).describe();
  return {
    subject: PSEUDO[name] ?? `header ${name}`,
    predicate: text.slice(`header ${name} `.length),
    actual: ({ request }) => (request === undefined ? 'no request: it is a connection' : quoted(request.header(name))),
  };
}

const range = ({ addressPrefix = '', prefixLen }: { addressPrefix?: string; prefixLen?: number | null }): string =>
  `${addressPrefix}/${prefixLen ?? 0}`;

function ofValue(json: ValueMatcherJson): string {
  if (json.stringMatch !== undefined) return matches(json.stringMatch);
  if (json.boolMatch !== undefined) return `is ${json.boolMatch}`;
  if (json.listMatch?.oneOf !== undefined) return `has one that ${ofValue(json.listMatch.oneOf)}`;
  const alternatives = json.orMatch?.valueMatchers;
  if (alternatives !== undefined) {
    // A claim that is a list or a text: said once.
    const texts = alternatives.filter((m) => m.listMatch === undefined);
    return [...new Set((texts.length > 0 ? texts : alternatives).map(ofValue))].join(' or ');
  }
  return json.presentMatch === true ? 'is present' : JSON.stringify(json);
}

function ofMetadata(json: MetadataMatcherJson): RuleWords {
  const path = (json.path ?? []).map(({ key }) => key ?? '');
  const claim = json.filter === JWT_FILTER && path[0] === PAYLOAD;
  const test = compileMetadataTest(json, '', none);
  return {
    subject: claim ? `claim ${path.slice(1).join('.')}` : `metadata ${[json.filter, ...path].join('.')}`,
    predicate: json.value === undefined ? '' : ofValue(json.value),
    actual({ metadata }) {
      if (claim && (metadata?.[JWT_FILTER] as Record<string, unknown> | undefined)?.[PAYLOAD] === undefined) return 'no accepted token';
      return JSON.stringify(test.find(metadata)) ?? 'absent';
    },
  };
}

export function permissionWords(json: PermissionJson): RuleWords {
  if (json.andRules !== undefined) return both((json.andRules.rules ?? []).map(permissionWords));
  if (json.orRules !== undefined) return either((json.orRules.rules ?? []).map(permissionWords));
  if (json.notRule !== undefined) return not(permissionWords(json.notRule));
  if (json.any === true) return ANYTHING;
  if (json.header !== undefined) return ofHeader(json.header);
  if (json.urlPath?.path !== undefined) return path(matches(json.urlPath.path));
  if (json.uriTemplate !== undefined)
    return path(`fits ${JSON.stringify((json.uriTemplate.typedConfig as { pathTemplate?: string } | undefined)?.pathTemplate ?? '')}`);
  if (json.destinationIp !== undefined)
    return {
      subject: 'destination',
      predicate: `lies in ${range(json.destinationIp)}`,
      actual: ({ connection }) => connection.destinationIp || 'unknown',
    };
  if (json.destinationPort !== undefined)
    return { subject: 'port', predicate: `is ${json.destinationPort}`, actual: ({ connection }) => String(connection.destinationPort) };
  if (json.metadata !== undefined) return ofMetadata(json.metadata);
  if (json.requestedServerName !== undefined)
    return { subject: 'server name', predicate: matches(json.requestedServerName), actual: ({ connection }) => quoted(connection.sni) };
  return { subject: JSON.stringify(json), predicate: '', actual: () => '' };
}

const path = (predicate: string): RuleWords => ({
  subject: 'path',
  predicate,
  actual: ({ request }) => (request === undefined ? 'no request: it is a connection' : quoted(request.pathOnly)),
});

/** Who the client is, as rules see it. */
export function clientText({ connection: { tls, peer } }: AuthorizationInput): string {
  if (!tls) return 'nobody: the connection is plain text';
  return peer === undefined ? 'nobody: it shows no certificate' : quoted(identityText(peer));
}

const plain = (regex: string): string => regex.replaceAll('.*', '*').replaceAll('\\', '');

/** What Istio writes for namespaces and service accounts, as it was asked for; undefined for other names. */
function accountText({ safeRegex }: StringMatcherJson): string | undefined {
  const regex = safeRegex?.regex ?? '';
  const namespace = /^\.\*\/ns\/(.+)\/\.\*$/.exec(regex)?.[1];
  if (namespace !== undefined) return `is of namespace ${JSON.stringify(plain(namespace))}`;
  const [, of, account] = /^spiffe:\/\/\.\+\/ns\/(.+)\/\(\.\+\/\|\)sa\/(.+)\(\/\.\+\)\?$/.exec(regex) ?? [];
  return of === undefined || account === undefined ? undefined : `is service account ${JSON.stringify(`${plain(of)}/${plain(account)}`)}`;
}

export function principalWords(json: PrincipalJson): RuleWords {
  if (json.andIds !== undefined) return both((json.andIds.ids ?? []).map(principalWords));
  if (json.orIds !== undefined) return either((json.orIds.ids ?? []).map(principalWords));
  if (json.notId !== undefined) return not(principalWords(json.notId));
  if (json.any === true) return ANYTHING;
  if (json.authenticated !== undefined) {
    const name = json.authenticated.principalName;
    return { subject: 'client', predicate: name === undefined ? 'uses TLS' : (accountText(name) ?? matches(name)), actual: clientText };
  }
  for (const [key, subject] of [
    ['directRemoteIp', 'source address'],
    ['remoteIp', 'client address'],
    ['sourceIp', 'source address'],
  ] as const) {
    const at = json[key];
    if (at !== undefined) return { subject, predicate: `lies in ${range(at)}`, actual: ({ connection }) => connection[key] };
  }
  if (json.header !== undefined) return ofHeader(json.header);
  if (json.urlPath?.path !== undefined) return path(matches(json.urlPath.path));
  if (json.metadata !== undefined) return ofMetadata(json.metadata);
  return { subject: JSON.stringify(json), predicate: '', actual: () => '' };
}
