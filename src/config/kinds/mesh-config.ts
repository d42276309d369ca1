/**
 * MeshConfig, MeshNetworks and the ProxyConfig inside MeshConfig. They are no Kubernetes kinds but YAML documents of their own, or
 * the keys `mesh` and `meshNetworks` of ConfigMap `istio`. Of each name there is the schema (a value) and the type it describes.
 */
export * from './mesh/connection-settings.ts';
export * from './mesh/extension-provider.ts';
export * from './mesh/mesh-config.ts';
export * from './mesh/mesh-networks.ts';
export * from './mesh/proxy-config.ts';
export * from './mesh/proxy-headers.ts';
export * from './mesh/tracing.ts';
