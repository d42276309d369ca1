/** Published attacks on verifiers of tokens. */
import { sign } from 'node:crypto';
import { get } from './both-engines.ts';
import { bearer, body, claims, good, head, main, now, signedBy, tail } from './jwt-requests.ts';
import { ec, JWKS, otherRsa, rsa, token } from './tokens.ts';

/** A signature over whatever stands before it, by the good key. */
const signed = (header: string, payload: string): string => token({ header, payload });

/** Attacks and mistakes that are known of other verifiers (RFC 8725 and its sources, CVE-2015-9235, CVE-2018-0114, CVE-2022-21449). */
export const ATTACKS: readonly (readonly [string, number, string])[] = [
  ...['None', 'NONE', 'nOnE', 'none ', ' none', 'none\u0000', 'n\u00f6ne', ''].map(
    (alg) => [`alg ${JSON.stringify(alg)}`, 401, main({ header: { alg, kid: 'rsa' } })] as const,
  ),
  ...['none', 'RS256'].map((alg) => {
    const unsigned = token({ header: { alg, kid: 'rsa' } })
      .split('.')
      .slice(0, 2)
      .join('.');
    return [`alg ${alg}, the signature cut off`, 401, get('/main', [bearer(`${unsigned}.`)])] as const;
  }),
  ['the signature of nothing', 401, get('/main', [bearer(`${head}.${body}.=`)])],
  ['a signature of zeros', 401, get('/main', [bearer(`${head}.${body}.${Buffer.alloc(256).toString('base64url')}`)])],
  [
    'a psychic signature: r and s are 0',
    401,
    get('/main', [
      bearer(
        `${token({ header: { alg: 'ES256', kid: 'ec' } })
          .split('.')
          .slice(0, 2)
          .join('.')}.${Buffer.alloc(64).toString('base64url')}`,
      ),
    ]),
  ],
  [
    'an ECDSA signature in DER',
    401,
    (() => {
      const text = token({ header: { alg: 'ES256', kid: 'ec' } })
        .split('.')
        .slice(0, 2)
        .join('.');
      return get('/main', [bearer(`${text}.${sign('sha256', Buffer.from(text), ec.privateKey).toString('base64url')}`)]);
    })(),
  ],
  ['ES256K', 401, main({ header: { alg: 'ES256K', kid: 'ec' } })],
  ['RS256 by the key of PS256', 200, signedBy('PS256', 'rsa')],
  ...(['pem', 'der'] as const).flatMap((format) =>
    (['spki', 'pkcs1'] as const).map(
      (type) =>
        [
          `HS256 with the public key as secret, ${format} ${type}`,
          401,
          signedBy('HS256', 'rsa', Buffer.from(rsa.publicKey.export({ format, type } as { format: 'pem'; type: 'spki' }))),
        ] as const,
    ),
  ),
  ['HS256 with the modulus as secret', 401, signedBy('HS256', 'rsa', Buffer.from(rsa.publicKey.export({ format: 'jwk' }).n!, 'base64url'))],
  ['HS256 with the key set as secret', 401, signedBy('HS256', 'rsa', Buffer.from(JWKS))],
  ['HS256 with an empty secret', 401, signedBy('HS256', 'oct', Buffer.alloc(0))],
  ['HS256 with a zero as secret', 401, signedBy('HS256', undefined, Buffer.alloc(1))],
  ['jku', 401, main({ header: { alg: 'RS256', kid: 'mine', jku: 'http://127.0.0.1:1/keys' }, key: otherRsa.privateKey })],
  ['x5u', 401, main({ header: { alg: 'RS256', x5u: 'http://127.0.0.1:1/cert' }, key: otherRsa.privateKey })],
  [
    'x5c',
    401,
    main({
      header: { alg: 'RS256', x5c: [otherRsa.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')] },
      key: otherRsa.privateKey,
    }),
  ],
  [
    'a key of the header itself with the kid of a known one',
    401,
    main({ header: { alg: 'RS256', kid: 'rsa', jwk: otherRsa.publicKey.export({ format: 'jwk' }) }, key: otherRsa.privateKey }),
  ],
  ['jku beside a good signature', 200, main({ header: { alg: 'RS256', kid: 'rsa', jku: 'http://127.0.0.1:1/keys' } })],
  ...[
    '../../../../dev/null',
    '/dev/null',
    'file:///etc/passwd',
    '| sleep 1',
    "x' UNION SELECT 'secret",
    '*',
    '%00',
    'rsa\u0000',
    ' rsa',
    'RSA',
    'rs\u0430',
    '__proto__',
    'constructor',
  ].map((kid) => [`kid ${JSON.stringify(kid)}`, 401, signedBy('HS256', kid, Buffer.alloc(0))] as const),
  ['kid is an object', 401, main({ header: { alg: 'RS256', kid: { a: 1 } } })],
  ['alg twice', 401, get('/main', [bearer(signed('{"alg":"none","alg":"RS256","kid":"rsa"}', '{"iss":"main"}'))])],
  ['alg twice, escaped', 401, get('/main', [bearer(signed('{"alg":"RS256","\\u0061lg":"none","kid":"rsa"}', '{"iss":"main"}'))])],
  ['kid twice', 401, get('/main', [bearer(signed('{"alg":"RS256","kid":"rsa","kid":"ec"}', '{"iss":"main"}'))])],
  ['exp twice', 401, claims(`{"iss":"main","exp":${now - 1000},"exp":${now + 1000}}`)],
  ['a claim twice, deep', 401, claims('{"iss":"main","o":{"a":1,"a":2}}')],
  ['__proto__ as a claim', 200, claims('{"iss":"main","__proto__":{"sub":"root"},"constructor":{"prototype":1}}')],
  ['the issuer in unicode', 401, claims({ iss: 'm\u0430in' })],
  ['the issuer with a zero', 401, claims({ iss: 'main\u0000' })],
  ['the issuer escaped', 200, claims('{"iss":"\\u006dain"}')],
  ['half a surrogate', 401, claims('{"iss":"main","x":"\\ud800"}')],
  ['a byte order mark', 401, claims('\ufeff{"iss":"main"}')],
  ['a comment', 401, claims('{"iss":"main"/**/}')],
  ['something behind', 401, claims('{"iss":"main"}{}')],
  ['NaN', 401, claims('{"iss":"main","exp":NaN}')],
  ['infinite', 401, claims('{"iss":"main","exp":1e999}')],
  ['infinite, in a claim that nobody looks at', 401, claims('{"iss":"main","x":-1e999}')],
  ['infinite by its digits', 401, claims(`{"iss":"main","x":[${'9'.repeat(400)}]}`)],
  ['large, with an exponent', 200, claims('{"iss":"main","x":1e+300,"y":1e-999}')],
  ['half a surrogate in a name', 401, claims('{"iss":"main","\\uDC00":1}')],
  ['a whole pair', 200, claims('{"iss":"main","x":"\\ud83d\\ude00"}')],
  ...[97, 98, 99, 100, 101].map(
    (depth) => [`${depth} lists`, depth < 100 ? 200 : 401, claims(`{"iss":"main","x":${'['.repeat(depth)}${']'.repeat(depth)}}`)] as const,
  ),
  ['deep', 401, claims(`{"iss":"other","x":${'['.repeat(500)}${']'.repeat(500)}}`)],
  ['blanks in the token', 401, get('/main', [bearer(`${head} .${body}.${tail}`)])],
  ['a dot before', 200, get('/main', [bearer(`.${good}`)])],
  ['two dots', 200, get('/main', [bearer(`${head}..${body}.${tail}`)])],
  ['padding in each part', 401, get('/main', [bearer(`${head}=.${body}==.${tail}==`)])],
  ['five parts, as JWE has', 401, get('/main', [bearer(`${good}.${head}.${tail}`)])],
  ['JSON serialization', 401, get('/main', [bearer(JSON.stringify({ protected: head, payload: body, signature: tail }))])],
  ['a token in a token', 401, get('/main', [bearer(token({ header: { alg: 'RS256', kid: 'rsa', cty: 'JWT' }, payload: good }))])],
  ['zip', 200, main({ header: { alg: 'RS256', kid: 'rsa', zip: 'DEF' } })],
  ['a token of 50 kB', 200, claims({ x: 'y'.repeat(36_000) }, '/anybody', 'whoever')],
  ['a token of 80 kB', 431, claims({ x: 'y'.repeat(60_000) })],
];

/** What is refused here, though Envoy lets it pass: RFC 8259, and RFC 7515 4.1.11: who does not know what is critical must not accept it. */
export const STRICTER: readonly (readonly [title: string, request: string, body?: string])[] = [
  ['a comma too many', claims('{"iss":"main",}'), 'Jwt payload is an invalid JSON'],
  ['a critical header', main({ header: { alg: 'RS256', kid: 'rsa', crit: ['exp'], exp: 1 } })],
  ['an unknown critical header', main({ header: { alg: 'RS256', kid: 'rsa', crit: ['b64'], b64: false } })],
  ['an empty list of them', main({ header: { alg: 'RS256', kid: 'rsa', crit: [] } })],
  ['none of a list', main({ header: { alg: 'RS256', kid: 'rsa', crit: null } })],
];
