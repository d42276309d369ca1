/** The CA's API through real sockets, with clients of Node's, gRPC's and curl's. */
import { execFile } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { credentials, Metadata, makeGenericClientConstructor, type ServiceError } from '@grpc/grpc-js';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import protobuf from 'protobufjs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createToken } from '../../../agent/ca/tokens.ts';
import { readCertificates } from '../../../src/pki/certificate.ts';
import { verifyChain } from '../../../src/pki/verify.ts';
import { withScratch } from '../../support/scratch.ts';
import { call, newRequest, served, TRUST } from './served.ts';

const NODE = `${TRUST}/fairlead/node/n1`;
const WEB = `${TRUST}/ns/shop/sa/web`;
const POLICY = `allow: [{ callers: ["${TRUST}/fairlead/node/*"], identities: ["${TRUST}/ns/*/sa/*"] }]\n`;
const roots = (directory: string): string =>
  (JSON.parse(readFileSync(join(directory, 'state.json'), 'utf8')) as { authorities: { root: string }[] }).authorities[0]!.root;

async function joined(directory: string, port: number, identity: string) {
  const { token } = await createToken(directory, identity, 60_000);
  const { csr, key } = await newRequest();
  const { status, body } = await call({
    port,
    path: '/v1/sign',
    body: { csr },
    roots: roots(directory),
    headers: { authorization: `Join ${token}` },
  });
  assert.is(status, 200, JSON.stringify(body));
  return { token, key, cert: body.chain, roots: body.roots, serial: body.serial };
}

test(
  'a join token gets one certificate for one identity once, and the certificate gets what the policy allows',
  withScratch((folder) =>
    served(folder, async ({ directory, server: { port, socket } }) => {
      assert.is(statSync(socket).mode & 0o777, 0o600);
      const node = await joined(directory, port, NODE);
      const [leaf, ...others] = readCertificates(node.cert);
      assert.equal(verifyChain(leaf!, others, readCertificates(node.roots), { at: new Date(), purpose: 'svid', name: NODE }).faults, []);
      const { csr } = await newRequest();
      const asToken = (token: string, body: object = { csr }) =>
        call({ port, path: '/v1/sign', body, headers: { authorization: `Join ${token}` } });
      assert.is((await asToken(node.token)).status, 401, 'used');
      const { token } = await createToken(directory, NODE, 60_000);
      assert.is((await asToken(token, { csr, identity: WEB })).status, 403, 'bound to its identity');
      const both = await Promise.all([asToken(token), asToken(token), asToken(token)]);
      assert.equal(both.map(({ status }) => status).sort(), [200, 401, 401], 'once, however many ask at a time');
      const { token: short } = await createToken(directory, NODE, -1);
      assert.is((await asToken(short)).status, 401, 'expired');

      const asNode = (body: unknown) => call({ port, path: '/v1/sign', body, ...node });
      const before = await asNode({ csr, identity: WEB });
      assert.is(before.status, 403, JSON.stringify(before.body));
      assert.match(before.body.error?.message ?? '', /no rule of the policy/);
      writeFileSync(join(directory, 'policy.yaml'), POLICY);
      const after = await asNode({ csr, identity: WEB, ttlSeconds: 60 });
      assert.is(after.status, 200, 'a changed policy counts at once');
      assert.is((await asNode({ csr, identity: `${TRUST}/other` })).status, 403);
      const own = await asNode({ csr });
      assert.is(own.body.identity, NODE);

      const log = readFileSync(join(directory, 'audit.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      const web = log.find((entry) => entry['event'] === 'issued' && entry['identity'] === WEB)!;
      assert.equal([web['caller'], web['by'], web['serial']], [NODE, 'certificate', after.body.serial]);
      assert.is(log.find((entry) => entry['serial'] === own.body.serial)!['replaces'], node.serial);
      assert.ok(log.some((entry) => entry['event'] === 'refused' && entry['identity'] === WEB));
      assert.not.match(JSON.stringify(log), new RegExp(`${token}|${node.token}`));
    }),
  ),
);

test(
  'strangers, pages, wrong methods and large or broken bodies are refused',
  withScratch((folder) =>
    served(folder, async ({ directory, server: { port } }) => {
      const { csr } = await newRequest();
      const node = await joined(directory, port, NODE);
      const sign = (more: object) => call({ port, path: '/v1/sign', body: { csr }, ...more }).then(({ status }) => status);
      assert.is(await sign({}), 401);
      assert.is(await sign({ headers: { authorization: 'Bearer abc' } }), 401);
      assert.is(await sign({ ...node, headers: { host: 'evil.example' } }), 403);
      assert.is(await sign({ ...node, headers: { origin: 'https://evil.example' } }), 403);
      assert.is(await sign({ ...node, method: 'GET', body: undefined }), 405);
      assert.is(await sign({ ...node, body: 'x'.repeat(70_000) }), 413);
      assert.is(await sign({ ...node, body: '[' }), 400);
      assert.is(await sign({ ...node, body: { csr: 'nothing' } }), 400);
      assert.is(await sign({ ...node, body: { csr, identiy: WEB } }), 400);
      assert.is(await sign({ ...node, path: '/nowhere' }), 404);
      const bundle = await call({ port, path: '/v1/bundle', method: 'GET', roots: roots(directory) });
      assert.is((bundle.body['keys'] as unknown[]).length, 1);
      writeFileSync(join(directory, 'policy.yaml'), 'rateLimit: { perMinute: 1, burst: 3 }\n');
      const statuses = [await sign(node), await sign(node), await sign(node), await sign(node), await sign(node)];
      assert.ok(statuses.includes(429), statuses.join());
      assert.is(statuses[0], 200);
      // A certificate of a foreign authority.
      await served(join(folder, 'other'), async (other) => {
        const foreign = await joined(other.directory, other.server.port, NODE);
        assert.is(await sign({ ...foreign, roots: roots(directory) }), 401);
      });
    }),
  ),
);

test(
  'Istio’s agents get certificates over gRPC with a Kubernetes token, and renew by certificate',
  withScratch((folder) =>
    served(folder, async ({ directory, server: { port } }) => {
      const { privateKey, publicKey } = await generateKeyPair('RS256');
      writeFileSync(join(directory, 'jwks.json'), JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256' }] }));
      writeFileSync(
        join(directory, 'policy.yaml'),
        'jwt: [{ issuer: https://kubernetes.default.svc, audiences: [istio-ca], jwks: jwks.json, identity: kubernetes }]\n',
      );
      const token = (audience: string, expires = '1h') =>
        new SignJWT({})
          .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
          .setIssuer('https://kubernetes.default.svc')
          .setSubject('system:serviceaccount:shop:web')
          .setAudience(audience)
          .setExpirationTime(expires)
          .sign(privateKey);
      writeFileSync(
        join(folder, 'ca.proto'),
        `syntax = "proto3"; package istio.v1.auth; import "google/protobuf/struct.proto";
message IstioCertificateRequest { string csr = 1; int64 validity_duration = 3; google.protobuf.Struct metadata = 4; }
message IstioCertificateResponse { repeated string cert_chain = 1; }`,
      );
      const proto = await protobuf.load(join(folder, 'ca.proto'));
      const [Request, Response] = ['Request', 'Response'].map((name) => proto.lookupType(`istio.v1.auth.IstioCertificate${name}`));
      const Client = makeGenericClientConstructor(
        {
          CreateCertificate: {
            path: '/istio.v1.auth.IstioCertificateService/CreateCertificate',
            requestStream: false,
            responseStream: false,
            requestSerialize: (message: object) => Buffer.from(Request!.encode(Request!.fromObject(message)).finish()),
            requestDeserialize: (bytes: Buffer) => bytes,
            responseSerialize: (bytes: Buffer) => bytes,
            responseDeserialize: (bytes: Buffer) => Response!.toObject(Response!.decode(bytes)),
          },
        },
        'IstioCertificateService',
      );
      const create = (
        message: object,
        bearer: string | undefined,
        own?: { key: string; cert: string },
      ): Promise<{ certChain: string[] }> => {
        const root = Buffer.from(roots(directory));
        const tls = own ? credentials.createSsl(root, Buffer.from(own.key), Buffer.from(own.cert)) : credentials.createSsl(root);
        const client = new Client(`127.0.0.1:${port}`, tls);
        const metadata = new Metadata();
        if (bearer) metadata.set('authorization', `Bearer ${bearer}`);
        return new Promise((resolve, reject) => {
          (client as unknown as Record<string, (m: object, md: Metadata, done: (e: ServiceError | null, r: never) => void) => void>)[
            'CreateCertificate'
          ]!(message, metadata, (error, response) => {
            client.close();
            if (error) reject(error);
            else resolve(response);
          });
        });
      };
      const codeOf = (work: Promise<unknown>) =>
        work.then(
          () => 0,
          (error: ServiceError) => error.code,
        );
      const { csr, key } = await newRequest();
      const { certChain } = await create({ csr, validityDuration: 600 }, await token('istio-ca'));
      assert.is(certChain.length, 3, 'leaf, intermediate, root');
      const [leaf, ...others] = certChain.slice(0, 2).flatMap(readCertificates);
      assert.equal(verifyChain(leaf!, others, readCertificates(certChain[2]!), { at: new Date(), purpose: 'svid', name: WEB }).faults, []);
      assert.ok(leaf!.notAfter.getTime() <= Date.now() + 600_000);
      const own = { key, cert: certChain.slice(0, 2).join('') };
      const renewed = await create({ csr }, undefined, own);
      assert.is(readCertificates(renewed.certChain[0]!)[0]!.sans[0]!.value, WEB);
      assert.is(await codeOf(create({ csr }, undefined)), 16);
      assert.is(await codeOf(create({ csr }, await token('somebody-else'))), 16);
      assert.is(await codeOf(create({ csr }, await token('istio-ca', '-1h'))), 16);
      assert.is(await codeOf(create({ csr: 'x' }, await token('istio-ca'))), 3);
      const impersonate = { fields: { ImpersonatedIdentity: { stringValue: NODE } } };
      assert.is(await codeOf(create({ csr, metadata: impersonate }, undefined, own)), 7);
      writeFileSync(join(directory, 'policy.yaml'), `allow: [{ callers: ["${WEB}"], identities: ["${NODE}"] }]\n`);
      const other = await create({ csr, metadata: impersonate }, undefined, own);
      assert.is(readCertificates(other.certChain[0]!)[0]!.sans[0]!.value, NODE);
    }),
  ),
);

test(
  'curl with a client certificate is served, and one without is not',
  withScratch((folder) =>
    served(folder, async ({ directory, server: { port } }) => {
      const node = await joined(directory, port, NODE);
      const put = (name: string, text: string): string => {
        writeFileSync(join(folder, name), text);
        return join(folder, name);
      };
      const body = put('body', JSON.stringify({ csr: (await newRequest()).csr }));
      const args = [
        '-sS',
        '--cacert',
        put('root', node.roots),
        '--data',
        `@${body}`,
        `https://127.0.0.1:${port}/v1/sign`,
        '-w',
        '\n%{http_code}',
      ];
      const curl = async (...more: string[]) => (await promisify(execFile)('curl', [...more, ...args])).stdout.trim().split('\n').at(-1);
      assert.is(await curl('--cert', put('cert', node.cert), '--key', put('key', node.key)), '200');
      assert.is(await curl(), '401');
    }),
  ),
);

test.run();
