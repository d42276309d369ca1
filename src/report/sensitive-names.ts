/** Names whose values are secrets, wherever they stand. */

/** `Private-Key`, `private_key` and `privateKey` are one. */
const plain = (name: string): string => name.toLowerCase().replace(/[-_.\s]/g, '');

/** Headers that carry credentials: whatever stands under them goes, also as a match. */
const HEADERS: ReadonlySet<string> = new Set(
  [
    'authorization',
    'proxy-authorization',
    'cookie',
    'set-cookie',
    'x-api-key',
    'x-auth-token',
    'x-access-token',
    'x-amz-security-token',
    'x-csrf-token',
    'x-forwarded-access-token',
    'x-forwarded-client-cert',
    'x-goog-api-key',
    'x-vault-token',
    'x-xsrf-token',
  ].map(plain),
);

/** Whole values that are nothing but key material. */
const KEY_MATERIAL: ReadonlySet<string> = new Set(['sessionticketkeys', 'sessionticketkey', 'privatekeyprovider', 'stringdata']);

const SECRET = /(?:password|passwd|passphrase|secret|token|apikey|accesskey|privatekey|signingkey|credentials?|connectionstring)$/;
/** Names that end so and say which, or how, in place of what. */
const HARMLESS =
  /(?:usesecret|mountserviceaccounttoken|automountserviceaccounttoken|serviceaccounttoken|nexttoken|pagetoken|continuetoken)$/;

/** A header, or another name, under which everything is secret. */
export function isSecretHeader(name: string): boolean {
  const key = plain(name);
  return HEADERS.has(key) || KEY_MATERIAL.has(key);
}

/** A name whose value, when it is text, is secret: `DB_PASSWORD`, `clientSecret`, `private_key`. */
export function isSecretName(name: string): boolean {
  const key = plain(name);
  return isSecretHeader(name) || (SECRET.test(key) && !HARMLESS.test(key));
}
