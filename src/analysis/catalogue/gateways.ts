import type { Message } from './message.ts';

const gateway = (name: string, host: string, more: string, port = 443, protocol = 'HTTPS'): string => `apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: ${name}
  namespace: istio-system
spec:
  selector:
    istio: ingressgateway
  servers:
    - hosts:
        - ${host}
      port:
        number: ${port}
        name: ${protocol.toLowerCase()}
        protocol: ${protocol}
${more}`;

const tls = (credential: string): string => `      tls:
        mode: SIMPLE
        credentialName: ${credential}
`;

const proxy = `---
apiVersion: v1
kind: Pod
metadata:
  name: ingressgateway-1
  namespace: istio-system
  labels:
    istio: ingressgateway
spec:
  containers:
    - name: istio-proxy
      image: proxyv2
---
apiVersion: v1
kind: Service
metadata:
  name: ingressgateway
  namespace: istio-system
  labels:
    istio: ingressgateway
spec:
  selector:
    istio: ingressgateway
  ports:
    - name: https
      port: 443
      protocol: TCP
      targetPort: 8443
`;

const secret = (data: string): string => `---
apiVersion: v1
kind: Secret
metadata:
  name: shop
  namespace: istio-system
type: kubernetes.io/tls
stringData:
${data.replace(/^(?=.)/gm, '  ')}`;

/** Of the test suite: self-signed, P-256, valid from 2026 for a hundred years. */
const CERTIFICATE = `tls.crt: |
  -----BEGIN CERTIFICATE-----
  MIIBjDCCATOgAwIBAgIUXHvYyz9qTjro13Gcmr5RS1d87zgwCgYIKoZIzj0EAwIw
  GzEZMBcGA1UEAwwQc2hvcC5leGFtcGxlLmNvbTAgFw0yNjExMjExMTUyMTFaGA8y
  MTI2MTAyODExNTIxMVowGzEZMBcGA1UEAwwQc2hvcC5leGFtcGxlLmNvbTBZMBMG
  ByqGSM49AgEGCCqGSM49AwEHA0IABCDCbL3CEB5IbDjDsG4Dpx1VnYmpRzdUO2M3
  wdlInspegJJzeZZIlaOfylJiBPB4mbkVSwVm1ynMbUyOWYSDxY+jUzBRMB0GA1Ud
  DgQWBBR4YByKcn7WaixEWFhr3+J/QpAPPTAfBgNVHSMEGDAWgBR4YByKcn7WaixE
  WFhr3+J/QpAPPTAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIG9c
  g+oj4TXvGGxHC6ccyy6hD2oNMkuq5jbH0E3nUBNmAiAE+fbNeRpoBrZf/GXZVlGA
  53FKXs0ejzgEHkiSLRo3zg==
  -----END CERTIFICATE-----
tls.key: not looked at
`;

/** The edge of the mesh. */
export const gateways: readonly Message[] = [
  {
    code: 'IST0138',
    name: 'GatewayDuplicateCertificate',
    level: 'Warning',
    args: ['gateways: []string'],
    template: 'the Gateways {gateways} use the same certificate',
    summary: 'Several Gateways on the same workloads use the same certificate.',
    effect: 'Browsers use one HTTP/2 connection for all hosts of a certificate, and get 404 for the hosts of the other Gateway.',
    hint: 'Put the hosts into one Gateway, or give each its own certificate',
    wrong: `${gateway('a', 'a.example.com', tls('shared'))}---\n${gateway('b', 'b.example.com', tls('shared'))}`,
    right: `${gateway('a', 'a.example.com', tls('a'))}---\n${gateway('b', 'b.example.com', tls('b'))}`,
  },
  {
    code: 'IST0145',
    name: 'ConflictingGateways',
    level: 'Error',
    args: ['gateway: string', 'selector: string', 'portnumber: string', 'hosts: string'],
    template: 'Gateway {gateway} serves one of the hosts {hosts} on port {portnumber} of the same workloads ({selector})',
    summary: 'Several Gateways serve the same host on the same port of the same workloads.',
    effect: 'Only one of them is used for the host; which one depends on their age.',
    hint: 'Merge the Gateways, or give them different hosts',
    wrong: `${gateway('a', 'shop.example.com', '', 80, 'HTTP')}---\n${gateway('b', 'shop.example.com', '', 80, 'HTTP')}`,
    right: `${gateway('a', 'shop.example.com', '', 80, 'HTTP')}---\n${gateway('b', 'api.example.com', '', 80, 'HTTP')}`,
  },
  {
    code: 'IST0161',
    name: 'InvalidGatewayCredential',
    level: 'Error',
    args: ['gatewayName: string', 'gatewayNamespace: string'],
    template:
      'the Secret that Gateway {gatewayName} in namespace {gatewayNamespace} takes its certificate from holds no certificate that is valid now',
    summary: 'The Secret of a Gateway is not usable: it lacks certificate or key, or the certificate cannot be read or is not valid now.',
    effect: 'The server is not opened, or clients refuse its certificate.',
    hint: 'The Secret needs `tls.crt` and `tls.key`; `openssl x509 -noout -dates` shows when a certificate is valid',
    wrong: `${gateway('shop', 'shop.example.com', tls('shop'))}${proxy}${secret('tls.crt: no certificate\ntls.key: no key\n')}`,
    right: `${gateway('shop', 'shop.example.com', tls('shop'))}${proxy}${secret(CERTIFICATE)}`,
  },
  {
    code: 'IST0162',
    name: 'GatewayPortNotDefinedOnService',
    level: 'Warning',
    args: ['port: int', 'selector: string'],
    template: 'port {port} is on no Service of the workloads that the Gateway selects ({selector})',
    summary: 'A Gateway opens a port that no Service leads to.',
    effect: 'The proxy listens on the port, but nobody reaches it from outside.',
    hint: 'Add the port to the Service of the gateway',
    wrong: `${gateway('shop', 'shop.example.com', '', 8080, 'HTTP')}${proxy}`,
    right: `${gateway('shop', 'shop.example.com', '', 443, 'HTTP')}${proxy}`,
  },
];
