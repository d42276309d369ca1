/** Where a connection goes: an address, a name that is looked up when connecting, or a unix socket (`@` first: abstract). */
export type Dial =
  | { readonly kind: 'ip'; readonly ip: string; readonly port: number }
  | { readonly kind: 'name'; readonly name: string; readonly port: number; readonly family: 0 | 4 | 6 }
  | { readonly kind: 'pipe'; readonly path: string };
