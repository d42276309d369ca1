// test: exclusive
/** What the rules do with single connections, by setting. In place of the proxy there is a server on its ports, which says where it was reached. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Caller, call, capture, startApplication, startServer } from '../support/captured-pod.ts';
import { type Host, type Network, networkMissing, startNetwork } from '../support/network.ts';

const missing = networkMissing();
const test = suite('rules of capture');
if (missing !== undefined) console.log(`skipped: ${missing}`);
const check = missing === undefined ? test : test.skip;
let net: Network;
let pod: Host;

const OUT = 15_001;
const IN = 15_006;

test.before(async () => {
  if (missing !== undefined) return;
  net = await startNetwork();
  pod = await net.add('pod');
  await startServer(pod, 'proxy', OUT, IN);
  await startApplication(pod, 8080, 9090, 15_020);
  await startApplication(net.outside, 9000, 9001);
});

test.after(() => net?.close());

/** The port on which a call was taken; the proxy's when it was captured. */
const taken = (from: Host, address: string, port: number, caller?: Caller): number | string => {
  const { seen, failed } = call(from, `http://${address.includes(':') ? `[${address}]` : address}:${port}/`, caller);
  return seen?.port ?? failed ?? 'no answer';
};

interface Case {
  title: string;
  flags: string[];
  /** From, to and the port that takes it; both families unless there is a dot or colon. */
  calls: [from: 'app' | 'proxy' | 'outside', to: string, expected: number][];
}

const cases: Case[] = [
  {
    title: 'everything',
    flags: ['--exclude-inbound-ports', '15020,15021,15090'],
    calls: [
      ['app', 'outside:9000', OUT],
      ['outside', 'pod:8080', IN],
      ['outside', 'pod:15020', 15_020],
      ['app', 'pod:8080', 8080],
      ['app', 'loopback:8080', 8080],
      ['proxy', 'outside:9000', 9000],
      ['proxy', 'pod:8080', IN],
      ['proxy', 'pod:15020', 15_020],
      ['proxy', 'loopback:8080', 8080],
    ],
  },
  {
    title: 'some ports of the application',
    flags: ['--include-inbound-ports', '8080'],
    calls: [
      ['outside', 'pod:8080', IN],
      ['outside', 'pod:9090', 9090],
      ['proxy', 'pod:9090', 9090],
      ['app', 'outside:9000', OUT],
    ],
  },
  {
    title: 'no port of the application',
    flags: ['--include-inbound-ports', ''],
    calls: [
      ['outside', 'pod:8080', 8080],
      ['app', 'outside:9000', OUT],
    ],
  },
  {
    title: 'all but one port, each way',
    flags: ['--exclude-inbound-ports', '9090', '--exclude-outbound-ports', '9001'],
    calls: [
      ['outside', 'pod:9090', 9090],
      ['outside', 'pod:8080', IN],
      ['app', 'outside:9001', 9001],
      ['app', 'outside:9000', OUT],
    ],
  },
  {
    title: 'a network, and a port wherever it is called',
    flags: ['--include-outbound-ranges', '10.77.0.0/24', '--include-outbound-ports', '9001'],
    calls: [
      ['app', '10.77.0.1:9000', OUT],
      ['app', 'fd77::1:9000', 9000],
      ['app', 'fd77::1:9001', OUT],
    ],
  },
  {
    title: 'no network',
    flags: ['--include-outbound-ranges', ''],
    calls: [
      ['app', 'outside:9000', 9000],
      ['outside', 'pod:8080', IN],
    ],
  },
  {
    title: 'all but some networks, which overlap',
    flags: ['--exclude-outbound-ranges', '10.77.0.0/16,10.77.0.1'],
    calls: [
      ['app', '10.77.0.1:9000', 9000],
      ['app', 'fd77::1:9000', OUT],
    ],
  },
  {
    title: 'nothing on an interface',
    flags: ['--exclude-interfaces', 'eth0'],
    calls: [
      ['app', 'outside:9000', 9000],
      ['outside', 'pod:8080', 8080],
    ],
  },
  {
    title: 'loopback, when it is named',
    flags: ['--include-outbound-ranges', '127.1.0.0/16'],
    calls: [
      ['app', '127.1.2.3:8080', OUT],
      ['app', '127.0.0.1:8080', 8080],
      ['app', 'outside:9000', 9000],
    ],
  },
];

for (const { title, flags, calls } of cases)
  check(title, () => {
    capture(pod, ...flags);
    const addresses: Record<string, string[]> = {
      outside: [net.outside.v4, net.outside.v6],
      pod: [pod.v4, pod.v6],
      loopback: ['127.0.0.1', '::1'],
    };
    for (const [from, to, expected] of calls) {
      const colon = to.lastIndexOf(':');
      const [place, port] = [to.slice(0, colon), Number(to.slice(colon + 1))];
      for (const address of addresses[place] ?? [place])
        assert.is(
          from === 'outside' ? taken(net.outside, address, port) : taken(pod, address, port, { who: from }),
          expected,
          `${from} to ${address}:${port}`,
        );
    }
  });

check('what the proxy brings to the application arrives, from the addresses that are for it', () => {
  capture(pod);
  assert.is(taken(pod, pod.v4, 8080, { who: 'proxy', localAddress: '127.0.0.6' }), 8080);
  assert.is(taken(pod, pod.v6, 8080, { who: 'proxy', localAddress: '::6' }), 8080);
});

check('a group may stand for the proxy too', () => {
  capture(pod, '--proxy-group', '0');
  assert.is(taken(pod, net.outside.v4, 9000, { who: 'root' }), 9000);
  capture(pod);
  assert.is(taken(pod, net.outside.v4, 9000, { who: 'root' }), OUT);
});

test.run();
