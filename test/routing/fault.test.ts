import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { HTTPFaultJson } from '#envoy-api/envoy/extensions/filters/http/fault/v3/fault_pb.js';
import { compileFault, decideFault } from '../../src/routing/fault.ts';
import { ProblemList } from '../../src/routing/problems.ts';
import { fine, request } from './compiled.ts';

const half = { numerator: 500_000, denominator: 'MILLION' as const };
const always = { numerator: 100 };
const decide = (json: HTTPFaultJson, headers: string[] = [], { cluster = 'a', active = 0, random = (): number => 0 } = {}) =>
  decideFault(
    fine((p) => compileFault(json, 'fault', p)),
    request('/', headers),
    cluster,
    active,
    random,
  );

test('fixed delay and abort, each with its own draw', () => {
  const json: HTTPFaultJson = { delay: { fixedDelay: '1.5s', percentage: half }, abort: { httpStatus: 503, percentage: half } };
  const draws = [499_999, 500_000].map((n) => n / 9_007_199_254_740_992);
  assert.equal(decide(json, [], { random: () => draws.shift()! }), { delayMs: 1500, abort: undefined, overflow: false });
  assert.equal(decide(json), { delayMs: 1500, abort: { httpStatus: 503, grpcStatus: undefined }, overflow: false });
  assert.equal(decide({ abort: { grpcStatus: 14, percentage: always } }).abort, { httpStatus: undefined, grpcStatus: 14 });
  assert.is(decide({ abort: { httpStatus: 503 } }).abort, undefined);
});

test('cluster, headers, nodes and max_active_faults hold faults back', () => {
  const abort = { httpStatus: 500, percentage: always };
  assert.is(decide({ abort, upstreamCluster: 'b' }).abort, undefined);
  assert.ok(decide({ abort, upstreamCluster: 'a' }).abort);
  assert.is(decide({ abort, headers: [{ name: 'x', stringMatch: { exact: '1' } }] }).abort, undefined);
  assert.ok(decide({ abort, headers: [{ name: 'x', stringMatch: { exact: '1' } }] }, ['x', '1']).abort);
  assert.is(decide({ abort, downstreamNodes: ['n'] }).abort, undefined);
  assert.ok(decide({ abort, downstreamNodes: ['n'] }, ['x-envoy-downstream-service-node', 'n']).abort);
  assert.equal(decide({ abort, maxActiveFaults: 2 }, [], { active: 2 }), { delayMs: undefined, abort: undefined, overflow: true });
  assert.ok(decide({ abort, maxActiveFaults: 2 }, [], { active: 1 }).abort);
});

test('headers steer faults as far as the configuration allows', () => {
  const json: HTTPFaultJson = { delay: { headerDelay: {}, percentage: always }, abort: { headerAbort: {}, percentage: { numerator: 50 } } };
  assert.equal(decide(json), { delayMs: undefined, abort: undefined, overflow: false });
  assert.is(decide(json, ['x-envoy-fault-delay-request', '250']).delayMs, 250);
  assert.is(decide(json, ['x-envoy-fault-delay-request', '250', 'x-envoy-fault-delay-request-percentage', '0']).delayMs, undefined);
  assert.equal(decide(json, ['x-envoy-fault-abort-request', '418']).abort, { httpStatus: 418, grpcStatus: undefined });
  assert.equal(decide(json, ['x-envoy-fault-abort-grpc-request', '5']).abort, { httpStatus: undefined, grpcStatus: 5 });
  assert.is(decide(json, ['x-envoy-fault-abort-request', '199']).abort, undefined);
  const sixty = { random: () => 60 / 9_007_199_254_740_992 };
  assert.is(decide(json, ['x-envoy-fault-abort-request', '418', 'x-envoy-fault-abort-request-percentage', '100'], sixty).abort, undefined);
});

test('what is not carried out is refused', () => {
  const problems = new ProblemList();
  compileFault({ responseRateLimit: {}, abort: { httpStatus: 199 }, delay: {} }, 'f', problems);
  assert.equal(
    problems.all.map((p) => p.path),
    ['f.responseRateLimit', 'f.delay', 'f.abort.httpStatus'],
  );
});

test.run();
