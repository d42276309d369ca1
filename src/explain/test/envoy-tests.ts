/**
 * Tests of Envoy's router_check_tool, as its documentation defines them
 * (https://www.envoyproxy.io/docs/envoy/latest/configuration/operations/tools/router_check), judged by explanations. What an explanation
 * cannot tell is refused with its place.
 */
import type { HeaderMatcherJson } from '#envoy-api/envoy/config/route/v3/route_components_pb.js';
import type { TextSource } from '../../config/document-source.ts';
import type { FieldPath } from '../../config/resource.ts';
import { checkValue } from '../../config/validation/check-value.ts';
import { countingAll, type Report } from '../../config/validation/report.ts';
import { schemaNode } from '../../config/validation/schema-node.ts';
import { compileHeaderMatcher } from '../../routing/header-matcher.ts';
import { ProblemList } from '../../routing/problems.ts';
import type { HeaderLine } from '../types.ts';
import { parseUrl } from '../url.ts';
import { envoyFileSchema, type WrittenEnvoyFile, type WrittenEnvoyTest } from './envoy-schema.ts';
import type { Case, Expectation, RouteTest } from './types.ts';

/** Whether a document looks like one of the tool's, its old form (a list) included. */
export function isEnvoyTest(value: unknown): boolean {
  const tests = Array.isArray(value) ? value : (value as { tests?: unknown } | null)?.tests;
  const first = Array.isArray(tests) ? (tests[0] as unknown) : undefined;
  return typeof first === 'object' && first !== null && ('test_name' in first || ('input' in first && 'validate' in first));
}

/** Reads a document of the tool's. `report` gets everything that is wrong with it, or cannot be judged. */
export function readEnvoyTests(value: unknown, source: TextSource, report: Report): RouteTest[] {
  if (Array.isArray(value)) {
    report.error([], 'test/old-envoy-form', 'this is the old form of router_check_tool’s tests, a list', {
      hint: 'Put the list under `tests:`, and write authority, path and method without a colon, as Envoy has since 1.12',
    });
    return [];
  }
  const counting = countingAll(report);
  checkValue(schemaNode(envoyFileSchema), value, { report: counting, path: [], chain: [] });
  if (counting.typeErrors > 0) return [];
  const { tests, runtime = {} } = value as WrittenEnvoyFile;
  for (const key of Object.keys(runtime)) {
    // Limits of the regular expressions' size: they change no decision.
    if (!key.startsWith('re2.')) cannot(counting, ['runtime', key], 'explanations know no runtime');
  }
  return tests.map((test, i) => {
    const at: FieldPath = ['tests', i];
    return {
      name: test.test_name,
      sender: {},
      cases: caseOf(test, [...at, 'input'], counting),
      expect: expectationOf(test, [...at, 'validate'], counting),
      get position() {
        return source.positionOf(at);
      },
      senderPosition: () => source.positionOf(at),
      positionOf: (field) => source.positionOf([...at, 'validate', ...envoyField(field)]),
    };
  });
}

const cannot = (report: Report, at: FieldPath, why: string): void =>
  report.error(at, 'test/cannot-judge', `\`${at.at(-1)}\` cannot be judged: ${why}`, {
    atKey: true,
    hint: 'Leave it out, or keep this test for router_check_tool',
  });

function caseOf({ input }: WrittenEnvoyTest, at: FieldPath, report: Report): Case[] {
  const { authority, path, method, ssl = false, random_value: random = 0, additional_request_headers: more = [] } = input;
  if (input.internal === true) cannot(report, [...at, 'internal'], 'whether a request is internal follows from the client’s address');
  if (input.runtime !== undefined) cannot(report, [...at, 'runtime'], 'explanations know no runtime');
  if (input.additional_response_headers !== undefined)
    cannot(report, [...at, 'additional_response_headers'], 'explanations know no answers of upstreams');
  if (input.dynamic_metadata !== undefined)
    cannot(report, [...at, 'dynamic_metadata'], 'explanations know no metadata but accepted tokens (jwtClaims in tests of Fairlead’s own)');
  if (!path.startsWith('/')) {
    report.error([...at, 'path'], 'test/path', `${JSON.stringify(path)} is no path: it does not begin with /`);
    return [];
  }
  const text = `${ssl ? 'https' : 'http'}://${authority}${path}`;
  const url = parseUrl(text);
  if (typeof url === 'string') {
    report.error([...at, 'authority'], 'test/host', url);
    return [];
  }
  const headers = more.map(({ key, value = '' }): HeaderLine => [key, value]);
  for (const [i, [name]] of headers.entries()) {
    if (/^:|^(?:host|x-forwarded-proto|x-envoy-internal)$/i.test(name))
      report.error([...at, 'additional_request_headers', i, 'key'], 'test/header', `${name} follows from other fields of the input`);
  }
  return [{ kind: 'request', host: url.host, request: { method, url: text, headers, random } }];
}

function expectationOf({ validate }: WrittenEnvoyTest, at: FieldPath, report: Report): Expectation {
  if (Object.keys(validate).length === 0) report.error(at, 'test/empty', '`validate` expects nothing', { atKey: true });
  if (validate.virtual_cluster_name !== undefined) cannot(report, [...at, 'virtual_cluster_name'], 'explanations know no virtual clusters');
  const matchers = (field: 'request' | 'response'): HeaderMatcherJson[] => {
    const exact = (validate[`${field}_header_fields`] ?? []).map(({ key, value = '' }) => ({ name: key, stringMatch: { exact: value } }));
    const written = (validate[`${field}_header_matches`] ?? []).map((matcher, i) =>
      matcherOf(matcher, [...at, `${field}_header_matches`, i], report),
    );
    return [...exact, ...written];
  };
  const [requestHeaders, responseHeaders] = [matchers('request'), matchers('response')];
  const { cluster_name: cluster, virtual_host_name: virtualHost, host_rewrite: host, path_rewrite: path } = validate;
  const { path_redirect: location, code_redirect: status } = validate;
  const upstream = { ...(host !== undefined && host !== '' && { host }), ...(path !== undefined && path !== '' && { path }) };
  return {
    ...(cluster !== undefined && { cluster }),
    ...(virtualHost !== undefined && { virtualHost }),
    ...(Object.keys(upstream).length > 0 && { upstream }),
    ...((location ?? '') !== '' || (status ?? 0) !== 0
      ? { redirect: { ...((location ?? '') !== '' && { location: location! }), ...((status ?? 0) !== 0 && { status: status! }) } }
      : {}),
    // The tool: an empty text expects that there is none.
    ...((host === '' || path === '' || location === '' || status === 0) && {
      envoyNone: {
        ...(host === '' && { host_rewrite: true as const }),
        ...(path === '' && { path_rewrite: true as const }),
        ...(location === '' && { path_redirect: true as const }),
        ...(status === 0 && { code_redirect: true as const }),
      },
    }),
    ...(requestHeaders.length > 0 && { envoyRequestHeaders: requestHeaders }),
    ...(responseHeaders.length > 0 && { envoyResponseHeaders: responseHeaders }),
  };
}

/** Fields of protobuf in either spelling, as its JSON form has them. */
function matcherOf(written: Readonly<Record<string, unknown>>, at: FieldPath, report: Report): HeaderMatcherJson {
  const json = camel(written) as Record<string, unknown>;
  // HeaderMatcher.present_match; Envoy's page on the tool calls it presence_match.
  if (json['presenceMatch'] !== undefined) {
    json['presentMatch'] = json['presenceMatch'];
    delete json['presenceMatch'];
  }
  for (const key of Object.keys(json)) {
    if (!MATCHER_FIELDS.has(key)) report.error(at, 'schema/unknown-field', `there is no field \`${key}\` in a HeaderMatcher`);
  }
  const problems = new ProblemList();
  compileHeaderMatcher(json as HeaderMatcherJson, '', '', problems);
  for (const { message } of problems.all) report.error(at, 'test/matcher', `the matcher is wrong: ${message.replace(/^\./, '')}`);
  return json as HeaderMatcherJson;
}

const MATCHER_FIELDS: ReadonlySet<string> = new Set([
  ...['name', 'exactMatch', 'safeRegexMatch', 'rangeMatch', 'presentMatch', 'prefixMatch', 'suffixMatch', 'containsMatch', 'stringMatch'],
  ...['invertMatch', 'treatMissingHeaderAsEmpty'],
]);

function camel(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camel);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()), camel(child)]),
  );
}

/** The field of the tool's that an expectation was made from. */
function envoyField(field: FieldPath): FieldPath {
  const [first, second, ...rest] = field;
  const known: Record<string, string> = {
    cluster: 'cluster_name',
    virtualHost: 'virtual_host_name',
    'upstream.host': 'host_rewrite',
    'upstream.path': 'path_rewrite',
    'redirect.location': 'path_redirect',
    'redirect.status': 'code_redirect',
  };
  const name = known[`${first}.${second}`] ?? known[String(first)];
  return name === undefined
    ? first === 'redirect'
      ? ['path_redirect']
      : first === 'upstream'
        ? ['path_rewrite']
        : [first ?? '', ...(second === undefined ? [] : [second]), ...rest]
    : [name];
}
