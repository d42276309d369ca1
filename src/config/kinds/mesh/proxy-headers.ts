import type { Static } from 'typebox';
import { boolean, choice, message, string } from '../schema.ts';

/** What becomes of the x-forwarded-client-cert header. */
export const forwardClientCertDetails = choice(
  ['UNDEFINED', 'SANITIZE', 'FORWARD_ONLY', 'APPEND_FORWARD', 'SANITIZE_SET', 'ALWAYS_FORWARD_ONLY'],
  "What becomes of x-forwarded-client-cert. SANITIZE: dropped. FORWARD_ONLY: passed on with mutual TLS. APPEND_FORWARD: the client's certificate is appended. SANITIZE_SET: replaced by it. ALWAYS_FORWARD_ONLY: passed on. Default: SANITIZE_SET on gateways, APPEND_FORWARD on sidecars.",
);

const disabled = boolean('Leaves it out. Default: false.');
const enabled = boolean('Adds it. Default: false.');

export const ProxyHeaders = message('Headers that proxies add by themselves.', {
  forwardedClientCert: forwardClientCertDetails,
  setCurrentClientCertDetails: message("What of the client's certificate goes into x-forwarded-client-cert.", {
    subject: boolean('Its subject. Default: true.'),
    cert: boolean('The certificate, PEM. Default: false on sidecars.'),
    chain: boolean('The whole chain, PEM. Default: false.'),
    dns: boolean('Its DNS names. Default: true.'),
    uri: boolean('Its URI names. Default: true.'),
  }),
  requestId: message('x-request-id.', { disabled }),
  server: message('The server header of responses.', { disabled, value: string('Its value. Default: `istio-envoy`.') }),
  attemptCount: message('x-envoy-attempt-count.', { disabled }),
  envoyDebugHeaders: message("Envoy's own x-envoy-* headers, such as x-envoy-upstream-service-time.", { disabled }),
  metadataExchangeHeaders: message('x-envoy-peer-metadata, by which proxies tell each other who they are.', {
    mode: choice(['UNDEFINED', 'IN_MESH'], 'IN_MESH: not sent to services outside the mesh. UNDEFINED, the default: sent to all.'),
  }),
  preserveHttp1HeaderCase: boolean('Keeps upper and lower case of header names in HTTP/1.1. Default: false.'),
  xForwardedHost: message('x-forwarded-host.', { enabled }),
  xForwardedPort: message('x-forwarded-port.', { enabled }),
});

export type ProxyHeaders = Static<typeof ProxyHeaders>;
