/** What is refused in objects of the Gateway API, with its place. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfig } from '../../src/config/parse-config.ts';

const object = (kind: string, spec: string): string =>
  `apiVersion: gateway.networking.k8s.io/v1\nkind: ${kind}\nmetadata: {name: o}\nspec:\n  ${spec}\n`;
const rule = (text: string): string => object('HTTPRoute', `rules: [{${text}}]`);
const filter = (text: string, more = ''): string => rule(`filters: [{${text}}]${more}`);
const listener = (text: string): string => object('Gateway', `{gatewayClassName: fairlead, listeners: [{name: a, port: 80, ${text}}]}`);

const refused: readonly (readonly [text: string, found: string])[] = [
  [object('HTTPRoute', 'hostname: [a.test]'), 'schema/unknown-field spec.hostname'],
  [object('HTTPRoute', 'hostnames: ["*"]'), 'semantic/host spec.hostnames[0]'],
  [object('HTTPRoute', 'hostnames: [127.0.0.1]'), 'semantic/host spec.hostnames[0]'],
  [rule('matches: [{path: {type: RegularExpression, value: "("}}]'), 'semantic/regex spec.rules[0].matches[0].path.value'],
  [
    rule('matches: [{headers: [{type: RegularExpression, name: a, value: "("}]}]'),
    'semantic/regex spec.rules[0].matches[0].headers[0].value',
  ],
  [rule('matches: [{path: {value: a}}]'), 'semantic/path spec.rules[0].matches[0].path.value'],
  [rule('matches: [{path: {value: /a//b}}]'), 'semantic/path spec.rules[0].matches[0].path.value'],
  [rule('matches: [{path: {value: /a, type: Prefix}}]'), 'schema/enum spec.rules[0].matches[0].path.type'],
  [rule('matches: [{headers: [{name: "a b", value: c}]}]'), 'semantic/header spec.rules[0].matches[0].headers[0].name'],
  [rule('timeouts: {request: 1s, backendRequest: 2s}'), 'semantic/timeout spec.rules[0].timeouts.backendRequest'],
  [filter('type: URLRewrite'), 'semantic/filter spec.rules[0].filters[0]'],
  [filter('type: CORS, cors: {}, urlRewrite: {}'), 'semantic/filter spec.rules[0].filters[0].urlRewrite'],
  [
    filter('type: RequestRedirect, requestRedirect: {statusCode: 304}'),
    'semantic/redirect spec.rules[0].filters[0].requestRedirect.statusCode',
  ],
  [
    filter('type: RequestRedirect, requestRedirect: {}', ', backendRefs: [{name: a, port: 80}]'),
    'semantic/redirect spec.rules[0].backendRefs',
  ],
  [
    filter(
      'type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}',
      ', matches: [{path: {type: Exact, value: /a}}]',
    ),
    'semantic/path spec.rules[0].filters[0].urlRewrite.path.type',
  ],
  [filter('type: RequestRedirect, requestRedirect: {}}, {type: URLRewrite, urlRewrite: {}'), 'semantic/filter spec.rules[0].filters'],
  [object('GRPCRoute', 'rules: [{matches: [{method: {}}]}]'), 'semantic/grpc-method spec.rules[0].matches[0].method'],
  [object('TCPRoute', 'rules: [{}, {}]'), 'semantic/rules spec.rules[1]'],
  [listener('protocol: HTTPS'), 'semantic/tls spec.listeners[0]'],
  [listener('protocol: HTTP, tls: {}'), 'semantic/tls spec.listeners[0].tls'],
  [listener('protocol: HTTP}, {name: a, port: 81, protocol: HTTP'), 'semantic/duplicate-name spec.listeners[1].name'],
];

for (const [text, found] of refused) {
  test(found, async () => {
    const { problems } = await parseConfig(text, 'test.yaml');
    assert.equal(
      problems.filter((p) => p.severity === 'error').map((p) => `${p.rule} ${p.path}`),
      [found],
    );
    assert.is(problems[0]?.position?.line, 5);
  });
}

test.run();
