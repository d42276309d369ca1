/** The kinds of security.istio.io: of each name both the schema (a value) and the type of the spec it describes. */
export * from './security/authorization-policy.ts';
export * from './security/peer-authentication.ts';
export * from './security/request-authentication.ts';
