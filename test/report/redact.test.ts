/** What a bug report takes out, and what it leaves: by names, by forms, and in text that was cut anywhere. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { redactJson } from '../../src/report/redact-json.ts';
import { redactText } from '../../src/report/redact-text.ts';
import { slimWorkload } from '../../src/report/slim-workload.ts';

const gone = (text: string, ...secrets: string[]): string => {
  const redacted = redactText(text);
  for (const secret of secrets) assert.not.ok(redacted.text.includes(secret), `${secret} in ${redacted.text}`);
  assert.ok(redacted.count > 0, text);
  return redacted.text;
};

test('secrets in text of any kind', () => {
  for (const [text, left] of [
    ['authorization: Bearer SECRET-1', 'authorization: [redacted]'],
    ['> Authorization: Basic SECRET-1', '> Authorization: [redacted]'],
    ["'cookie', 'session=SECRET-1; a=b'\n'x-ok', 'y'", "'cookie', '[redacted]'\n'x-ok', 'y'"],
    ['key=authorization value=Bearer SECRET-1', 'key=authorization value=[redacted]'],
    ['{"Set-Cookie":"a=SECRET-1; Path=/","b":"c"}', '{"Set-Cookie":"[redacted]","b":"c"}'],
    ['{\\"authorization\\":\\"Bearer SECRET-1\\",\\"b\\":1}', '{\\"authorization\\":\\"[redacted]\\",\\"b\\":1}'],
    ['GET /cb?code=5&access_token=SECRET-1&x=1', 'GET /cb?code=5&access_token=[redacted]&x=1'],
    ['DB_PASSWORD=SECRET-1 next', 'DB_PASSWORD=[redacted] next'],
    ['client_secret: SECRET-1', 'client_secret: [redacted]'],
    ['postgres://me:SECRET-1@db:5432/x', 'postgres://[redacted]@db:5432/x'],
    ['got Bearer SECRET-1abc here', 'got Bearer [redacted] here'],
    ['x-api-key = SECRET-1', 'x-api-key = [redacted]'],
  ] as const)
    assert.is(gone(text, 'SECRET-1'), left);
  for (const token of ['ghp_0123456789abcdefghijABCDEFGHIJ012345', 'AKIAIOSFODNN7EXAMPLE', 'xoxb-123456789012-abcdefghij'])
    gone(`it is ${token}.`, token);
  const jwt = [{ alg: 'HS256' }, { sub: 'me' }].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  assert.is(gone(`token was ${jwt}.c2lnbmF0dXJl ok`, jwt), 'token was [redacted] ok');
});

test('private keys, whole or cut, as they are, escaped and in base64', () => {
  const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const body = pem.split('\n').slice(1, -2);
  for (const text of [pem, JSON.stringify(pem), Buffer.from(pem).toString('base64'), `a\n${pem}${pem}b`]) gone(text, ...body);
  for (let cut = 0; cut < pem.length - 30; cut += 7) {
    gone(`before: ${pem.slice(0, pem.length - cut)}`.padEnd(30), ...(cut < 100 ? body.slice(0, 1) : []));
    if (cut > 28) gone(pem.slice(cut), ...body.slice(1).filter((line) => pem.indexOf(line) >= cut));
  }
  const certificate = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
  assert.is(redactText(certificate).text, certificate);
  const encoded = Buffer.from(certificate.repeat(3)).toString('base64');
  assert.is(redactText(encoded).text, encoded);
});

test('what is no secret stays', () => {
  for (const text of [
    'cluster.outbound|80||reviews.shop.svc.cluster.local.upstream_rq_total: 5',
    'credentialName: shop-cert',
    'tokens: 15',
    'secretName: edge',
    'http://a.example:8080/path',
    '2026-01-01T00:00:00Z info the token bucket is full',
    'serviceAccountToken: {path: token}',
  ])
    assert.equal(redactText(text), { text, count: 0 });
  const value = {
    credentialName: 'shop-cert',
    volumes: [
      { secret: { secretName: 'a' } },
      { projected: { sources: [{ serviceAccountToken: { path: 'token', audience: 'istio-ca' } }] } },
    ],
    token_bucket: { max_tokens: 4 },
    fromHeaders: [{ name: 'x-jwt', prefix: 'Bearer ' }],
    fromCookies: ['session'],
    token_secret: { name: 'token', sds_config: { path_config_source: { path: '/etc/token' } } },
  };
  assert.equal(redactJson(value), { value, count: 0 });
});

test('secrets in JSON, by the names around them', () => {
  const { value, count } = redactJson({
    env: [{ name: 'DB_PASSWORD', value: 'SECRET' }],
    request_headers_to_add: [{ header: { key: 'Authorization', value: 'SECRET' } }, { header: { key: 'x-ok', raw_value: 'fine' } }],
    headers: { request: { set: { Authorization: 'SECRET', 'x-ok': 'fine' } } },
    match: { headers: { cookie: { regex: 'SECRET' } } },
    header_matcher: { name: 'authorization', string_match: { exact: 'SECRET' } },
    tls: { private_key: { inline_string: 'SECRET' }, password: { inline_bytes: 'SECRET' }, certificate_chain: { inline_string: 'fine' } },
    generic_secret: { secret: { inline_string: 'SECRET' } },
    session_ticket_keys: { keys: [{ inline_bytes: 'SECRET' }] },
    jwks: JSON.stringify({ keys: [{ kty: 'RSA', n: 'fine', d: 'SECRET' }] }),
    nested: JSON.stringify({ clientSecret: 'SECRET', a: 1 }),
    stringData: { anything: 'SECRET' },
    list: { tokens: 1, apiKey: ['SECRET', 'SECRET'] },
    url: 'https://me:SECRET@host/',
    already: { private_key: { inline_bytes: 'W3JlZGFjdGVkXQ==' } },
  });
  const text = JSON.stringify(value);
  assert.not.match(text, /SECRET/);
  assert.is(count, 15);
  assert.is(text.match(/fine/g)?.length, 4);
});

test('containers keep what a mesh is told, and nothing of applications', () => {
  const { value, count } = slimWorkload({
    spec: {
      containers: [
        {
          name: 'app',
          image: 'a',
          command: ['run'],
          args: ['--key', 'SECRET'],
          env: [
            { name: 'X', value: 'SECRET' },
            { name: 'Y', valueFrom: { fieldRef: {} } },
          ],
        },
        {
          name: 'istio-proxy',
          image: 'p',
          args: ['proxy', 'sidecar'],
          env: [
            { name: 'ISTIO_META_MESH_ID', value: 'mesh' },
            { name: 'OTHER', value: 'SECRET' },
          ],
        },
      ],
    },
  });
  assert.not.match(JSON.stringify(value), /SECRET|run/);
  assert.match(JSON.stringify(value), /"proxy","sidecar"[\s\S]*"mesh"/);
  assert.is(count, 5);
});

test('random text comes through, and is the same after a second time', () => {
  for (let i = 0; i < 300; i++) {
    const text = randomBytes(200).toString(i % 2 === 0 ? 'latin1' : 'base64');
    const once = redactText(text).text;
    assert.is(redactText(once).text, once);
  }
});

test.run();
