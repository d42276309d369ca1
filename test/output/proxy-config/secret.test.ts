/** `proxy-config secret` from a saved dump: what is active, what is waited for, what has expired. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { initCa } from '../../../agent/ca/init.ts';
import { issueLocally } from '../../../agent/ca/local-issue.ts';
import { packSections } from '../../../src/envoy/dump/config-dump.ts';
import { secretsSection } from '../../../src/envoy/dump/secrets-section.ts';
import { secretRows } from '../../../src/output/proxy-config/secret.ts';
import { readCertificates } from '../../../src/pki/certificate.ts';
import { fairlead } from '../../support/cli.ts';
import { withScratch } from '../../support/scratch.ts';

async function makeDump(folder: string) {
  const ca = join(folder, 'ca');
  const life = 86_400_000;
  await initCa(ca, {
    trustDomain: 'cluster.local',
    algorithm: 'ec-p256',
    rootLifeMs: life,
    intermediateLifeMs: life,
    passphrase: undefined,
  });
  const options = { request: undefined, algorithm: 'ec-p256' as const, dnsNames: [], lifeMs: undefined, passphrase: undefined };
  const { issued, key } = await issueLocally(ca, { identity: 'default/web', ...options });
  const section = secretsSection({
    active: [
      {
        name: 'default',
        tlsCertificate: { certificateChain: { inlineString: issued.chain }, privateKey: { inlineString: key as string } },
      },
      { name: 'ROOTCA', validationContext: { trustedCa: { inlineBytes: Buffer.from(issued.roots).toString('base64') } } },
    ],
    warming: ['kubernetes://shop'],
    version: '1',
    lastUpdated: Date.now(),
  });
  return { section, issued };
}

test(
  'a table of what is there and what is waited for; no key in any form',
  withScratch(async (folder, write) => {
    const { section, issued } = await makeDump(folder);
    const file = write('dump.json', JSON.stringify(packSections({ secrets: section })));
    const { code, out, err } = await fairlead(['proxy-config', 'secret', '--file', file]);
    assert.is(code, 0, err);
    const rows = out.trimEnd().split('\n');
    assert.match(rows[0]!, /^RESOURCE NAME +TYPE +STATUS +VALID CERT +SERIAL NUMBER +NOT AFTER +NOT BEFORE$/);
    assert.match(rows[1]!, new RegExp(`^default +Cert Chain +ACTIVE +true +${issued.serial.padStart(32, '0')} `));
    assert.match(rows[2]!, /^ROOTCA +CA +ACTIVE +true +[0-9a-f]{32} +\d{4}-\d\d-\d\dT[\d:]+Z/);
    assert.match(rows[3]!, /^kubernetes:\/\/shop +WARMING +false/);
    const json = await fairlead(['pc', 's', '--file', file, '-o', 'json']);
    assert.is(json.code, 0, json.err);
    assert.match(json.out, /\[redacted\]/);
    assert.not.match(json.out, /PRIVATE KEY/);
    const none = write('none.json', JSON.stringify(packSections({ secrets: {} })));
    assert.match((await fairlead(['proxy-config', 'secret', '--file', none])).out, /^No active or warming secrets found\.$/m);
  }),
);

test(
  'valid means now: neither before nor after',
  withScratch(async (folder) => {
    const { section, issued } = await makeDump(folder);
    const [leaf] = readCertificates(issued.chain);
    const validAt = (date: Date): boolean => secretRows(section, date)[0]!.valid;
    assert.equal(
      [leaf!.notBefore.getTime() - 1, leaf!.notBefore.getTime(), leaf!.notAfter.getTime() - 1, leaf!.notAfter.getTime()].map((t) =>
        validAt(new Date(t)),
      ),
      [false, true, true, false],
    );
  }),
);

test.run();
