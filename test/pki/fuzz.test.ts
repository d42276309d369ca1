/** Malformed input gives a PkiError, whatever it is: never another exception, never a hang. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readCertificate, readCertificates } from '../../src/pki/certificate.ts';
import { generateKey, readKey } from '../../src/pki/keys.ts';
import { PkiError } from '../../src/pki/pki-error.ts';
import { createRequest, readRequest } from '../../src/pki/request.ts';
import { random } from '../config/random.ts';
import { issue, makeRoot, uri, WORKLOAD } from './authority.ts';

const root = await makeRoot({ ca: { constraints: { permittedUriHosts: ['cluster.local'], permittedDns: ['a.example'] } } });
const leaf = await issue(root, { sans: [uri(WORKLOAD), { type: 'ip', value: '10.0.0.1' }] });
const request = createRequest(await generateKey('ec-p256'), [uri(WORKLOAD)], { commonName: 'x' });
const requestDer = Buffer.from(request.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');

function onlyPkiErrors(work: () => unknown): 'read' | 'refused' {
  try {
    work();
    return 'read';
  } catch (error) {
    assert.ok(error instanceof PkiError, String((error as Error).stack));
    return 'refused';
  }
}

function damaged(seed: number, der: Buffer): Buffer {
  const r = random(seed);
  let out = Buffer.from(der);
  for (let i = r.below(4); i >= 0; i--) {
    const kind = r.below(4);
    const at = r.below(out.length);
    if (kind === 0) out[at] = r.below(256);
    else if (kind === 1) out = out.subarray(0, at + 1);
    else if (kind === 2) out = Buffer.concat([out.subarray(0, at), Buffer.from([r.below(256)]), out.subarray(at)]);
    else out[at] = r.pick([0x00, 0x30, 0x80, 0x84, 0xff]);
  }
  return out;
}

test('damaged certificates and requests', () => {
  let refused = 0;
  for (let seed = 1; seed <= 4000; seed++) {
    if (onlyPkiErrors(() => readCertificate(damaged(seed, leaf.certificate.der))) === 'refused') refused++;
    onlyPkiErrors(() => readCertificate(damaged(seed, root.certificate.der)));
    onlyPkiErrors(() => readRequest(damaged(seed, requestDer)));
  }
  assert.ok(refused > 1000, `${refused} refused`);
});

test('damaged PEM', () => {
  const pems = [leaf.certificate.pem + root.certificate.pem, request];
  for (let seed = 1; seed <= 2000; seed++) {
    const r = random(seed);
    const pem = r.pick(pems);
    const at = r.below(pem.length);
    const text = pem.slice(0, at) + r.pick(['', '-----', '\n', '=', '\u0000', 'ü']) + pem.slice(at + r.below(9));
    onlyPkiErrors(() => readCertificates(text));
    onlyPkiErrors(() => readRequest(text));
    onlyPkiErrors(() => readKey(text));
  }
});

test('deep nesting does not end the process', () => {
  const deep = Buffer.concat(Array.from({ length: 20_000 }, () => Buffer.from([0x30, 0x80])));
  assert.is(
    onlyPkiErrors(() => readCertificate(deep)),
    'refused',
  );
  assert.is(
    onlyPkiErrors(() => readRequest(deep)),
    'refused',
  );
});

test.run();
