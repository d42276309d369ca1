/**
 * The kinds of gateway.networking.k8s.io. Of each name there is the schema (a value) and the
 * type of the spec it describes.
 */
export * from './gateway-api/filters.ts';
export * from './gateway-api/gateway.ts';
export * from './gateway-api/gateway-class.ts';
export * from './gateway-api/grpc-route.ts';
export * from './gateway-api/http-route.ts';
export * from './gateway-api/reference-grant.ts';
export * from './gateway-api/references.ts';
export * from './gateway-api/tcp-route.ts';
export * from './gateway-api/tls-route.ts';
