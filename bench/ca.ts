/**
 * Certificates a second on one core: the request's signature checked, policy asked, signed, written to the audit log.
 *
 *   node bench/ca.ts [SECONDS]
 */
import { createPrivateKey, sign as cryptoSign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAudit } from '../agent/ca/audit.ts';
import { bundleOf, openSigner } from '../agent/ca/authorities.ts';
import { readState } from '../agent/ca/directory.ts';
import { initCa } from '../agent/ca/init.ts';
import { issueCertificate } from '../agent/ca/issue.ts';
import { DEFAULT_POLICY } from '../agent/ca/policy.ts';
import { generateKey, keyToPem } from '../src/pki/keys.ts';
import { createRequest, readRequest } from '../src/pki/request.ts';
import { bundleToPem } from '../src/pki/trust-bundle.ts';
import { figures } from './figures.ts';

const DAY = 86_400_000;

function rate(seconds: number, work: () => unknown): number {
  for (let i = 0; i < 200; i++) work();
  const start = performance.now();
  let done = 0;
  while (performance.now() - start < seconds * 1000) {
    for (let i = 0; i < 50; i++) work();
    done += 50;
  }
  return done / ((performance.now() - start) / 1000);
}

export async function benchCa(seconds = 3): Promise<void> {
  const directory = join(mkdtempSync(join(tmpdir(), 'fairlead-bench-')), 'ca');
  try {
    const settings = { trustDomain: 'cluster.local', algorithm: 'ec-p256' as const, rootLifeMs: 100 * DAY, intermediateLifeMs: 50 * DAY };
    await initCa(directory, { ...settings, passphrase: undefined });
    const state = readState(directory);
    const audit = openAudit(directory, 1000);
    const signer = openSigner(directory, state, undefined);
    const issuer = { signer, rootsPem: bundleToPem(bundleOf(state)), sequence: 1, policy: DEFAULT_POLICY, audit };
    const key = await generateKey('ec-p256');
    const csr = createRequest(key, []);
    const identity = 'spiffe://cluster.local/ns/shop/sa/web';
    const caller = { name: identity, by: 'certificate' as const };
    const whole = rate(seconds, () =>
      issueCertificate(issuer, caller, { identity, request: readRequest(csr), dnsNames: [], lifeMs: undefined }, new Date()),
    );
    const check = rate(seconds, () => readRequest(csr));
    const data = Buffer.alloc(400);
    const bare = createPrivateKey(keyToPem(key));
    const signing = rate(seconds, () => cryptoSign('sha256', data, bare));
    audit.close();
    const lines = readFileSync(join(directory, 'audit.jsonl'), 'utf8').trim().split('\n').length;
    const row = (name: string, value: number): string[] => [name, value.toFixed(0), (value / whole).toFixed(2)];
    console.log(
      figures([
        ['P-256, one core', 'a second', 'ratio'],
        row('certificates, request checked, audited', whole),
        row('requests checked alone', check),
        row('node:crypto signing alone', signing),
      ]),
    );
    console.log(`${lines} lines in the audit log`);
  } finally {
    rmSync(join(directory, '..'), { recursive: true, force: true });
  }
}

if (import.meta.main) await benchCa(process.argv[2] === undefined ? undefined : Number(process.argv[2]));
