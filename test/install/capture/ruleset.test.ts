/** The rules as text, and the command line that stands for them. What they do is for test/capture. */
import { spawnSync } from 'node:child_process';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ruleset } from '../../../src/install/capture/ruleset.ts';
import { type CaptureSettings, captureAll, parseInterfaces, parsePorts, parseRanges } from '../../../src/install/capture/settings.ts';
import { captureArguments } from '../../../src/install/capture/to-flags.ts';
import { fairlead } from '../../support/cli.ts';
import { networkMissing } from '../../support/network.ts';
import { realNft } from '../../support/nft.ts';

const all = captureAll(10_001, 10_001);
const variants: Record<string, CaptureSettings> = {
  everything: all,
  'nothing inbound': { ...all, includeInboundPorts: [] },
  'nothing outbound': { ...all, includeOutboundRanges: [] },
  'some of all': {
    proxyUsers: [1, 2],
    proxyGroups: [],
    outboundPort: 25_001,
    inboundPort: 25_006,
    includeInboundPorts: [80, 8080],
    excludeInboundPorts: [],
    includeOutboundPorts: [31_400],
    excludeOutboundPorts: [25, 3306],
    includeOutboundRanges: ['10.0.0.0/8', 'fd00::/8', '127.1.2.3/32'],
    // They overlap, which one set of nft could not have.
    excludeOutboundRanges: ['10.1.0.0/16', '10.1.2.0/24', 'fd00:1::/32'],
    excludeInterfaces: ['eth1', 'docker0.5'],
  },
};

const skipped = networkMissing();
for (const [name, settings] of Object.entries(variants)) {
  const check = skipped === undefined ? test : test.skip;
  check(`the kernel takes the rules as nft reads them: ${name}`, () => {
    const env = { ...process.env, PATH: `${realNft()}:${process.env['PATH']}:/usr/sbin:/sbin` };
    const { status, stderr } = spawnSync('unshare', ['--net', 'nft', '--file', '-'], { input: ruleset(settings), env, encoding: 'utf8' });
    assert.is(status, 0, stderr);
  });

  test(`what the init container is told says the same: ${name}`, async () => {
    const { code, out, err } = await fairlead(['agent', 'capture', 'print', ...captureArguments(settings)]);
    assert.equal([code, err, out], [0, '', ruleset(settings)]);
  });
}
if (skipped !== undefined) console.log(`skipped: ${skipped}`);

test('lists are read, and what is none is told from an empty one', () => {
  assert.equal(parsePorts(' 443, 80,80 '), [80, 443]);
  assert.equal(parsePorts(''), []);
  for (const wrong of ['0', '65536', '80-90', '*', 'http', '8 0']) assert.is(parsePorts(wrong), undefined, wrong);
  assert.equal(parseRanges('10.0.0.1, fd00::/8,10.0.0.1/32'), ['10.0.0.1/32', 'fd00::/8']);
  for (const wrong of ['10.0.0.0/33', '10.0.0', 'fd00::/129', '1::2::3', 'fe80::1%eth0', 'db', '10.0.0.0/8/8', '10.0.0.0/', '$(x)'])
    assert.is(parseRanges(wrong), undefined, wrong);
  for (const wrong of ['a b', 'eth0"', 'x{', 'eth*', 'abcdefghijklmnop']) assert.is(parseInterfaces(wrong), undefined, wrong);
});

test('wrong flags are told, without a stack trace', async () => {
  for (const [args, what] of [
    [[], /flag proxy-user/],
    [['--proxy-user', 'nobody-of-that-name'], /there is no user "nobody-of-that-name"/],
    [['--proxy-user', '1', '--exclude-inbound-ports', '80-90'], /--exclude-inbound-ports "80-90" is not a list of ports/],
    [['--proxy-user', '1', '--include-outbound-ranges', '10.0.0.0/40'], /is not a list of networks/],
    [['--proxy-user', '1', '--inbound-port', '15001'], /are both 15001/],
  ] as const) {
    const { code, out, err } = await fairlead(['agent', 'capture', 'print', ...args]);
    assert.equal([code, out], [2, '']);
    assert.match(err, what);
    assert.not.match(err, /at .*:\d+:\d+/);
  }
});

test.run();
