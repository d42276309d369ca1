/** What service accounts may do. https://kubernetes.io/docs/reference/access-authn-authz/rbac/ */
import type { Manifest } from './object.ts';

const RBAC = 'rbac.authorization.k8s.io';

export interface Rule {
  apiGroups: readonly string[];
  resources: readonly string[];
  verbs: readonly string[];
  resourceNames?: readonly string[];
}

export type Subject = { kind: 'ServiceAccount'; name: string; namespace: string } | { kind: 'Group'; apiGroup: string; name: string };

export const accountSubject = (name: string, namespace: string): Subject => ({ kind: 'ServiceAccount', name, namespace });

/** The service accounts of a namespace, `*` for all. https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-subjects */
export const accountsOf = (namespace: string): Subject => ({
  kind: 'Group',
  apiGroup: RBAC,
  name: `system:serviceaccounts${namespace === '*' ? '' : `:${namespace}`}`,
});

/** Rules in the whole cluster: a role, and who has it. */
export function clusterAccess(metadata: Manifest['metadata'], rules: readonly Rule[], subjects: readonly Subject[]): Manifest[] {
  return [
    { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata, rules },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: metadata.name },
      subjects,
    },
  ];
}

/** Rules in the namespace of `metadata`: a role, and who has it. */
export function namespaceAccess(metadata: Manifest['metadata'], rules: readonly Rule[], subjects: readonly Subject[]): Manifest[] {
  return [
    { apiVersion: `${RBAC}/v1`, kind: 'Role', metadata, rules },
    { apiVersion: `${RBAC}/v1`, kind: 'RoleBinding', metadata, roleRef: { apiGroup: RBAC, kind: 'Role', name: metadata.name }, subjects },
  ];
}
