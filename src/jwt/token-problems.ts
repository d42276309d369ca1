export const NOT_YET = 'Jwt not yet valid';
export const EXPIRED = 'Jwt is expired';
/** Envoy has one word for all of these. */
export const LIFETIME = 'Jwt verification fails';
export const WRONG_SUBJECT = 'Jwt verification fails';
