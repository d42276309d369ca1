/** What a kind is. One declaration gives the TypeScript type, the validator, the CRD, the JSON Schema and the reference docs. */
import type { TSchema } from 'typebox';

export interface Kind<S extends TSchema = TSchema> {
  readonly kind: string;
  /** Empty for Kubernetes' core group. */
  readonly group: string;
  /** Served versions, preferred first. */
  readonly versions: readonly string[];
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly scope: 'Namespaced' | 'Cluster';
  /** One sentence for people. */
  readonly description: string;
  /** Where the schema applies: to `spec`, or to the whole object less apiVersion, kind, metadata and status. */
  readonly payload: 'spec' | 'object';
  readonly schema: S;
  /** Unknown fields: errors for Istio's kinds; let pass for Kubernetes' own, of which only what a mesh reads is declared. */
  readonly unknownFields: 'refuse' | 'allow';
}

/** Declares a kind; the types of `schema` are kept. */
export function defineKind<S extends TSchema>(kind: Kind<S>): Kind<S> {
  return kind;
}
