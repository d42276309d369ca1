/** Who refused a request or a connection, by which line. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { refusalNote } from '../../agent/refusal-note.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { buildMesh } from '../../src/mesh/mesh.ts';
import { findProxy } from '../../src/mesh/proxies.ts';
import type { Mesh, ProxyNode } from '../../src/mesh/types.ts';
import { requestLine } from '../../src/output/request-line.ts';
import type { RequestRecord } from '../../src/telemetry/request-record.ts';
import { requestRecord } from '../support/record.ts';

process.env['TZ'] = 'UTC';

const yaml = `apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: web }
spec: { address: 127.0.0.1, ports: { http: 8080 }, labels: { app: web } }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default }
spec:
  mtls: { mode: STRICT }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: no-admin }
spec:
  action: DENY
  rules:
  - to: [{ operation: { paths: [/a] } }]
  - to: [{ operation: { paths: [/admin] } }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: friends }
spec:
  rules: [{ from: [{ source: { namespaces: [shop] } }] }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: considered, annotations: { istio.io/dry-run: "true" } }
spec: {}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: tokens }
spec:
  jwtRules: [{ issuer: me, jwks: '{"keys":[]}' }]
`;

async function web(): Promise<[Mesh, ProxyNode]> {
  const { resources } = await parseConfig(yaml, 'mesh/web.yaml');
  const mesh = buildMesh(resources);
  return [mesh, findProxy(mesh, 'web') as ProxyNode];
}

async function noteOf(record: Partial<RequestRecord>): Promise<string | undefined> {
  const note = refusalNote(requestRecord({ direction: 'inbound', status: 403, ...record }), ...(await web()));
  return note && [note.text, note.where].filter((part) => part !== undefined).join('  ');
}

const rbac = (name: string): string => `rbac_access_denied_matched_policy[${name}]`;

test('denied requests name the policy, its rule and its line', async () => {
  assert.is(await noteOf({ details: rbac('ns[default]-policy[no-admin]-rule[1]') }), 'denied by no-admin rule 2  web.yaml:19');
  assert.is(await noteOf({ details: rbac('none') }), 'denied: no rule of friends allows it  web.yaml:23');
  assert.is(await noteOf({ details: rbac('ns[x]-policy[gone]-rule[0]') }), 'denied by ns[x]-policy[gone]-rule[0]');
  assert.is(refusalNote(requestRecord({ details: rbac('none') }), undefined, undefined)?.text, 'denied: no rule allows it');
  assert.is(await noteOf({ status: 401, details: 'jwt_authn_access_denied{Jwt_is_missing}' }), 'denied: Jwt is missing  web.yaml:36');
  assert.is(await noteOf({ details: 'ext_authz_denied', flags: 'UAEX' }), 'denied by external authorization');
  const closed = { protocol: 'TCP', status: 0, details: '', terminationDetails: rbac('none') } as const;
  assert.is(await noteOf(closed), 'denied: no rule of friends allows it  web.yaml:23');
});

test('what was not refused by a policy has no note', async () => {
  assert.is(await noteOf({ details: 'via_upstream' }), undefined);
  assert.is(await noteOf({ status: 404, details: 'route_not_found', flags: 'NR' }), undefined);
  assert.is(await noteOf({ protocol: 'TCP', flags: 'NR', details: 'filter_chain_not_found', direction: 'outbound' }), undefined);
});

test('connections that were refused say why, and which line asks for mutual TLS', async () => {
  const tcp = {
    protocol: 'TCP',
    status: 0,
    flags: '-',
    details: '',
    upstreamCluster: '',
    downstreamLocalAddress: '127.0.0.1:8080',
  } as const;
  const at = 'web.yaml:10';
  const tls = (said: string): string => `TLS_error:|268435581:SSL routines:OPENSSL_internal:${said}:TLS_error_end`;
  const chain = (why: string): string =>
    tls(`CERTIFICATE_VERIFY_FAILED:verify cert failed: X509_verify_cert: certificate verification error at depth 0: ${why}`);
  const plain = { ...tcp, flags: 'NR', details: 'filter_chain_not_found' };
  assert.is(await noteOf(plain), `refused: it is plain text, and mutual TLS is required (STRICT)  ${at}`);
  for (const [said, text] of [
    [tls('PEER_DID_NOT_RETURN_A_CERTIFICATE:peer did not provide required client certificate'), 'it showed no certificate'],
    [chain('certificate has expired'), 'its certificate has expired'],
    [chain('certificate is not yet valid'), 'its certificate is not valid yet'],
    [chain('unable to get local issuer certificate'), 'its certificate is of no CA that is trusted here'],
    [tls('CERTIFICATE_VERIFY_FAILED:verify cert failed: SAN matcher'), 'its certificate has another name'],
    [tls('SSLV3_ALERT_CERTIFICATE_EXPIRED'), 'it says that the certificate shown to it has expired'],
    [tls('TLSV1_ALERT_UNKNOWN_CA'), 'it does not trust the CA of the certificate shown to it'],
    [tls('SOMETHING_NEW'), 'the handshake failed: SOMETHING_NEW'],
  ] as const)
    assert.is(await noteOf({ ...tcp, downstreamTransportFailure: said }), `refused: ${text}  ${at}`);
  const line = requestLine(requestRecord({ ...tcp, direction: 'inbound', downstreamTransportFailure: tls('HTTP_REQUEST') }), {
    color: false,
    refusal: 'refused: \u001b[2J',
    where: at,
  });
  assert.is(line, '03:04:05.612 TCP  TLS   12 ms  127.0.0.1:50001 -> web.default 127.0.0.1:8080  refused: \ufffd[2J  web.yaml:10');
});

test('a call whose TLS to the upstream fails says why', async () => {
  const failed = { status: 503, flags: 'UF', direction: 'outbound', upstreamHost: '10.0.0.1:443' } as const;
  const reason = 'TLS_error:|1:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: SAN matcher:TLS_error_end';
  assert.is(await noteOf({ ...failed, upstreamTransportFailure: reason }), 'TLS to 10.0.0.1:443 failed: its certificate has another name');
});

test.run();
