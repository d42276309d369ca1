import { hasHeader, removeHeader, setHeader } from '../../../src/routing/header-mutation.ts';
import { GrpcWebCall } from './grpc-web-call.ts';
import type { HttpFilter, HttpFilterFactory } from './http-filter.ts';

/** Content types that are translated, and whether their bodies are base64. Envoy compares them exactly. */
const TYPES: ReadonlyMap<string, boolean> = new Map([
  ['application/grpc-web', false],
  ['application/grpc-web+proto', false],
  ['application/grpc-web-text', true],
  ['application/grpc-web-text+proto', true],
]);

/**
 * Lets gRPC-Web clients (browsers) talk to gRPC servers. What comes behind it in the chain sees gRPC. Not kept: Envoy's statistics
 * `cluster.<name>.grpc-web.<service>.<method>`, whose names any client could make up. Envoy: gRPC-Web filter.
 */
export const createGrpcWeb: HttpFilterFactory = (name) => {
  const filter: HttpFilter = {
    name,
    onRequest(exchange) {
      const { request } = exchange;
      const type = request.header('content-type');
      const text = type === undefined ? undefined : TYPES.get(type);
      if (text === undefined || request.path === '' || exchange.upgrade !== undefined) return true;
      exchange.grpc = true;
      exchange.transcoder = new GrpcWebCall(exchange, text, TYPES.get(request.header('accept') ?? '') === true);
      const { headers } = request;
      removeHeader(headers, 'content-length');
      setHeader(headers, 'content-type', 'application/grpc');
      setHeader(headers, 'te', 'trailers');
      if (!hasHeader(headers, 'grpc-accept-encoding')) headers.push('grpc-accept-encoding', 'identity');
      request.headersChanged();
      return true;
    },
  };
  return { filter, problems: [] };
};
