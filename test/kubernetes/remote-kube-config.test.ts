/** What of a kubeconfig in a Secret is taken, and what is refused. */
import type { RequestOptions } from 'node:https';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readRemoteKubeConfig } from '../../src/kubernetes/remote-kube-config.ts';
import { clustersOfSecret } from '../../src/kubernetes/remote-secrets.ts';

const encode = (text: string): string => Buffer.from(text).toString('base64');
const config = (user: string, cluster = 'server: "https://west.example:6443/"', context = 'x'): string => `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {${cluster}}}, {name: other, cluster: {server: "https://other.example"}}]
users: [{name: u, user: ${user}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: ${context}
`;

async function optionsOf(text: string): Promise<RequestOptions & { server: string }> {
  const read = readRemoteKubeConfig(text, 'west');
  if ('refused' in read) throw new Error(read.refused);
  const options: RequestOptions = {};
  await read.access.authorize(options);
  assert.is(read.access.context, 'west');
  return { ...options, server: read.access.server };
}

test('a token, and the authority of the server', async () => {
  const text = config(
    '{token: abc}',
    `server: "https://west.example:6443/", certificate-authority-data: ${encode('PEM')}, tls-server-name: api`,
  );
  const { server, headers, ca, servername } = await optionsOf(text);
  assert.equal([server, headers, String(ca), servername], ['https://west.example:6443', { authorization: 'Bearer abc' }, 'PEM', 'api']);
});

test('a client certificate with its key', async () => {
  const { cert, key, headers } = await optionsOf(config(`{client-certificate-data: ${encode('C')}, client-key-data: ${encode('K')}}`));
  assert.equal([String(cert), String(key), headers], ['C', 'K', undefined]);
});

const refused: [what: string, text: string, why: string][] = [
  ['a program', config('{exec: {command: sh}}'), 'exec is not taken from a Secret'],
  ['a provider', config('{auth-provider: {name: oidc}, token: a}'), 'auth-provider is not taken from a Secret'],
  ['files', config('{tokenFile: /etc/passwd, client-key: /k}'), 'tokenFile, client-key are not taken from a Secret'],
  [
    'a file with an authority',
    config('{token: a}', 'server: "https://w", certificate-authority: /ca'),
    'certificate-authority is not taken from a Secret',
  ],
  [
    'no verification',
    config('{token: a}', 'server: "https://w", insecure-skip-tls-verify: true'),
    'insecure-skip-tls-verify is not taken from a Secret',
  ],
  ['a proxy', config('{token: a}', 'server: "https://w", proxy-url: "http://p"'), 'proxy-url is not taken from a Secret'],
  ['somebody else', config('{token: a, as: admin}'), 'as is not taken from a Secret'],
  ['plain text', config('{token: a}', 'server: "http://w"'), 'its server is no https:// URL'],
  ['nobody', config('{}'), 'its user has neither a token nor a client certificate with its key'],
  ['a context that is not there', config('{token: a}', undefined, 'nowhere'), 'there is no context nowhere'],
  ['no YAML', '{', 'it is no kubeconfig'],
  ['something else', '- a', 'it is no kubeconfig'],
];
for (const [what, text, why] of refused)
  test(`a kubeconfig with ${what} is refused`, () => {
    const read = readRemoteKubeConfig(text, 'west');
    assert.ok('refused' in read && read.refused.startsWith(why), JSON.stringify(read));
  });

test('each key of a Secret is a cluster; one that is refused leaves the others', () => {
  const said: string[] = [];
  const clusters = clustersOfSecret(
    {
      metadata: { namespace: 'istio-system', name: 's' },
      data: { west: encode(config('{token: a}')), bad: encode('no'), north: encode(config('{token: b}')) },
    },
    (text) => void said.push(text),
  );
  assert.equal(
    clusters.map(({ id, from }) => [id, from]),
    [
      ['west', 'the Secret istio-system/s'],
      ['north', 'the Secret istio-system/s'],
    ],
  );
  assert.equal(said, ['the cluster bad is left out: the kubeconfig in the Secret istio-system/s is refused: it is no kubeconfig']);
});

test.run();
