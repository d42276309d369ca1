/** What the CA's own server certificate is for. */
export const caIdentity = (trustDomain: string): string => `spiffe://${trustDomain}/fairlead/ca`;
