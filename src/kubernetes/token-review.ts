/** Whose a service account's token is, which only the API server knows. https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/ */
import type { ApiClient } from './client.ts';

/** Whom the API server knows by a token: a name, and what goes with it. */
export interface TokenUser {
  username: string;
  /** Of `authentication.kubernetes.io/NAME`. */
  extra(name: string): string | undefined;
}

interface Status {
  authenticated?: boolean;
  audiences?: string[];
  error?: string;
  user?: { username?: string; extra?: Readonly<Record<string, readonly string[]>> };
}

/** Why the token is nobody's, or whose it is. Rejects when the API server does not answer as it should; nothing that is said repeats the token. */
export async function reviewToken(client: ApiClient, token: string, audience: string): Promise<TokenUser | { refused: string }> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences: [audience] } };
  const answer = await client.request('/apis/authentication.k8s.io/v1/tokenreviews', { method: 'POST', body });
  const { authenticated, audiences, error, user } = (answer as { status?: Status }).status ?? {};
  if (!authenticated) return { refused: error || 'the API server does not know it' };
  // An API server that knows nothing of audiences would take any token for any of them.
  if (!audiences?.includes(audience)) return { refused: `it is not meant for ${audience}` };
  return { username: user?.username ?? '', extra: (name) => user?.extra?.[`authentication.kubernetes.io/${name}`]?.[0] };
}

/** What is wrong with a token as far as it says so itself, so that strangers do not make anybody ask the API server; nothing of it is believed. */
export function tokenFault(token: string, audience: string): string | undefined {
  let claims: { aud?: unknown; exp?: unknown } | null;
  try {
    claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as typeof claims;
  } catch {
    return 'it is no JSON Web Token';
  }
  if (claims === null || typeof claims !== 'object') return 'it is no JSON Web Token';
  if (![claims.aud].flat().includes(audience)) return `it is not meant for ${audience}`;
  return typeof claims.exp === 'number' && claims.exp * 1000 < Date.now() ? 'it has expired' : undefined;
}
