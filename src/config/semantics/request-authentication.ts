import type { JWTRule, RequestAuthentication } from '../kinds/security.ts';
import type { FieldPath, Resource } from '../resource.ts';
import type { Report } from '../validation/report.ts';
import { checkPolicyTarget } from './policy-target.ts';

/** Istio's validation of RequestAuthentications (IST0106). */
export function checkRequestAuthentication(resource: Resource, report: Report): void {
  const spec = resource.spec as RequestAuthentication;
  checkPolicyTarget(spec, report);
  for (const [i, rule] of (spec.jwtRules ?? []).entries()) checkJwtRule(rule, ['spec', 'jwtRules', i], report);
}

function checkJwtRule({ issuer, jwksUri, jwks }: JWTRule, path: FieldPath, report: Report): void {
  if (!issuer && !jwksUri) {
    report.error(path, 'semantic/jwt', 'a rule for JWTs needs `issuer` or `jwksUri`', {
      hint: 'The issuer is what the token says in `iss`',
    });
  }
  if (jwksUri) {
    const url = URL.parse(jwksUri);
    if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
      report.error([...path, 'jwksUri'], 'semantic/jwt', `\`jwksUri\` must be an http or https URL, not ${JSON.stringify(jwksUri)}`);
    }
  }
  if (jwks) checkKeys(jwks, [...path, 'jwks'], report);
}

interface Key {
  kty?: unknown;
  d?: unknown;
  k?: unknown;
}

/** RFC 7517: an object with `keys`. Private and symmetric keys have no place in configuration. */
function checkKeys(text: string, path: FieldPath, report: Report): void {
  let keys: unknown;
  try {
    keys = (JSON.parse(text) as { keys?: unknown } | null)?.keys;
  } catch {
    keys = undefined;
  }
  if (!Array.isArray(keys) || keys.some((key) => typeof (key as Key | null)?.kty !== 'string')) {
    report.error(path, 'semantic/jwt', '`jwks` is no set of keys', { hint: 'It is JSON like `{"keys": [{"kty": "RSA", …}]}` (RFC 7517)' });
    return;
  }
  for (const [i, key] of (keys as Key[]).entries()) {
    if (key.kty === 'oct' || key.d !== undefined || key.k !== undefined) {
      report.warning(
        path,
        'semantic/private-key',
        `key ${i} of \`jwks\` is private; whoever reads the configuration can sign tokens with it`,
        {
          hint: 'Keep the public part only',
        },
      );
    }
  }
}
