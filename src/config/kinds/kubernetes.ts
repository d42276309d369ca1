/**
 * Kubernetes' own kinds, of which only what a mesh reads is declared. Of each name there is the schema (a value) and the type it
 * describes: that of `spec` for kinds that have one, else of the whole object. The types ending in `Status` describe `status`, which
 * is not validated.
 */
export * from './kubernetes/config-map.ts';
export * from './kubernetes/cron-job.ts';
export * from './kubernetes/custom-resource-definition.ts';
export * from './kubernetes/daemon-set.ts';
export * from './kubernetes/deployment.ts';
export * from './kubernetes/endpoint-slice.ts';
export * from './kubernetes/endpoints.ts';
export * from './kubernetes/job.ts';
export * from './kubernetes/list.ts';
export * from './kubernetes/mutating-webhook-configuration.ts';
export * from './kubernetes/namespace.ts';
export * from './kubernetes/node.ts';
export * from './kubernetes/object-reference.ts';
export * from './kubernetes/pod.ts';
export * from './kubernetes/pod-spec.ts';
export * from './kubernetes/replica-set.ts';
export * from './kubernetes/secret.ts';
export * from './kubernetes/service.ts';
export * from './kubernetes/service-account.ts';
export * from './kubernetes/stateful-set.ts';
export * from './kubernetes/validating-webhook-configuration.ts';
export * from './kubernetes/webhook.ts';
