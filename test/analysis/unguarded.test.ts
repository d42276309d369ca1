/** Policies for ports in front of which no proxy stands. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findingsOf } from './support.ts';

const mesh = (ingress: string): string => `apiVersion: v1
kind: Service
metadata: { name: api }
spec: { selector: { app: api }, ports: [{ name: http, port: 80, targetPort: 7001 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: api }
spec: { address: 127.0.0.1, labels: { app: api } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: p }
spec: { selector: { matchLabels: { app: api } }, rules: [{ to: [{ operation: { ports: ["7001"] } }] }] }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: s }
spec: { selector: { matchLabels: { app: api } }, mtls: { mode: STRICT } }
${ingress}`;

const sidecar = `---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: api }
spec:
  workloadSelector: { labels: { app: api } }
  ingress: [{ port: { number: 7001, protocol: HTTP }, bind: 127.0.0.1, captureMode: NONE, defaultEndpoint: 127.0.0.1:7002 }]
`;

const unenforced = async (text: string, ownProxies: boolean): Promise<string[]> =>
  (await findingsOf(text, { ownProxies })).filter((finding) => finding.startsWith('FL0701'));

test('are told with --own-proxies, until a Sidecar puts the proxy in front', async () => {
  assert.equal(await unenforced(mesh(''), true), [
    'FL0701 AuthorizationPolicy default/p spec',
    'FL0701 PeerAuthentication default/s spec.mtls.mode',
  ]);
  assert.equal(await unenforced(mesh(sidecar), true), []);
  assert.equal(await unenforced(mesh(''), false), [], 'other meshes have proxies of their own there');
});

test('so are those for ports that a workload leaves out of capture', async () => {
  const captured = (more: string): string =>
    mesh('').replace(
      'metadata: { name: api }\nspec: { address',
      `metadata: { name: api, annotations: { sidecar.istio.io/interceptionMode: REDIRECT${more} } }\nspec: { address`,
    );
  assert.equal(await unenforced(captured(''), true), []);
  assert.equal(await unenforced(captured(', traffic.sidecar.istio.io/excludeInboundPorts: "7001"'), true), [
    'FL0701 AuthorizationPolicy default/p spec',
    'FL0701 PeerAuthentication default/s spec.mtls.mode',
  ]);
  assert.equal(await unenforced(captured(', traffic.sidecar.istio.io/includeInboundPorts: "7001"'), true), []);
});

test.run();
