import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Certificate, readCertificate } from '../../src/pki/certificate.ts';
import { type FaultCode, type VerifyOptions, verifyChain } from '../../src/pki/verify.ts';
import { HOUR, type Issued, issue, makeRoot, uri, WORKLOAD } from './authority.ts';

const root = await makeRoot();
const intermediate = await issue(root, { subject: { commonName: 'online' }, ca: { pathLength: 0 } });
const leaf = await issue(intermediate, { sans: [uri(WORKLOAD)] });

function codes(
  certificate: Certificate,
  others: readonly Issued[],
  roots: readonly Issued[],
  more: Partial<VerifyOptions> = {},
): FaultCode[] {
  const verdict = verifyChain(
    certificate,
    others.map((o) => o.certificate),
    roots.map((r) => r.certificate),
    { at: new Date(), purpose: 'svid', ...more },
  );
  return verdict.faults.map((fault) => fault.code);
}

test('a good chain has no fault, whatever the order it came in', () => {
  assert.equal(codes(leaf.certificate, [intermediate], [root]), []);
  assert.equal(codes(leaf.certificate, [root, leaf, intermediate], [root]), []);
  assert.equal(codes(leaf.certificate, [intermediate], [root], { name: WORKLOAD, purpose: 'server' }), []);
});

test('each fault is called what it is', async () => {
  const sans = [uri(WORKLOAD)];
  const past = { notBefore: new Date(Date.now() - 2 * HOUR), notAfter: new Date(Date.now() - HOUR) };
  const future = { notBefore: new Date(Date.now() + HOUR), notAfter: new Date(Date.now() + 2 * HOUR) };
  assert.equal(codes((await issue(intermediate, { sans, ...past })).certificate, [intermediate], [root]), ['expired']);
  assert.equal(codes((await issue(intermediate, { sans, ...future })).certificate, [intermediate], [root]), ['not-yet-valid']);
  assert.equal(codes(leaf.certificate, [intermediate], [await makeRoot({ subject: { commonName: 'other' } })]), ['unknown-root']);
  assert.equal(codes(leaf.certificate, [], [root]), ['unknown-root']);
  assert.equal(codes(leaf.certificate, [intermediate], [root], { name: 'spiffe://cluster.local/ns/default/sa/other' }), ['wrong-name']);
  const deeper = await issue(intermediate, { subject: { commonName: 'deeper' }, ca: {} });
  const below = await issue(deeper, { sans });
  assert.equal(codes(below.certificate, [deeper, intermediate], [root]), ['path-length']);
  const impostor = await issue(leaf, { sans });
  assert.equal(codes(impostor.certificate, [leaf, intermediate], [root]).sort(), ['key-usage', 'not-a-ca', 'path-length']);
  const narrow = await issue(root, { subject: { commonName: 'narrow' }, ca: { constraints: { permittedUriHosts: ['elsewhere'] } } });
  assert.equal(codes((await issue(narrow, { sans })).certificate, [narrow], [root]), ['name-constraint']);
  const two = await issue(intermediate, { sans: [...sans, uri('spiffe://cluster.local/x')] });
  assert.equal(codes(two.certificate, [intermediate], [root]), ['not-an-svid']);
});

test('a root of the same name and another key is no root: the signature tells', async () => {
  const twin = await makeRoot();
  assert.equal(codes(leaf.certificate, [intermediate], [twin]), ['unknown-root']);
});

test('any changed byte is noticed', () => {
  const { der } = leaf.certificate;
  let judged = 0;
  for (let at = 0; at < der.length; at++) {
    const changed = Buffer.from(der);
    changed[at]! ^= 1;
    let read: Certificate;
    try {
      read = readCertificate(changed);
    } catch {
      continue;
    }
    judged++;
    assert.ok(codes(read, [intermediate], [root]).length > 0, `byte ${at}`);
  }
  assert.ok(judged > 100, `${judged} of ${der.length} could be read`);
});

test('while a root is replaced, the path to either one is found', async () => {
  const next = await makeRoot({ subject: { commonName: 'next root' } });
  const other = await issue(next, { subject: { commonName: 'online' }, ca: {} });
  assert.equal(codes(leaf.certificate, [other, intermediate], [next, root]), []);
  assert.equal(codes((await issue(other, { sans: [uri(WORKLOAD)] })).certificate, [other, intermediate], [next, root]), []);
});

test.run();
