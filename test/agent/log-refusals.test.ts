/** What an agent's log says of refused requests, and how much at most. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Agent } from '../../agent/agent.ts';
import { createLog } from '../../agent/log.ts';
import { logRefusals } from '../../agent/log-refusals.ts';
import type { RequestRecord } from '../../src/telemetry/request-record.ts';
import { requestRecord } from '../support/record.ts';

test('a refused request is a line without its query, and a flood of them is counted', () => {
  let record: (r: RequestRecord) => void = () => undefined;
  const agent = {
    engine: {
      onRecord(listener: (r: RequestRecord) => void) {
        record = listener;
        return () => undefined;
      },
    },
    controller: { proxies: () => [], mesh: () => undefined },
  } as unknown as Pick<Agent, 'engine' | 'controller'>;
  const lines: string[] = [];
  let time = 0;
  const log = createLog('json', 'info', (line) => lines.push(line));
  logRefusals(agent, log, () => time);
  record(requestRecord({ status: 200, details: 'via_upstream' }));
  assert.equal(lines, []);
  const refused = requestRecord({
    direction: 'inbound',
    status: 403,
    path: '/pay?token=secret',
    details: 'rbac_access_denied_matched_policy[ns[default]-policy[no-admin]-rule[1]]',
  });
  for (let i = 0; i < 50; i++) record(refused);
  assert.is(lines.length, 20);
  assert.match(lines[0] ?? '', 'denied by ns[default]-policy[no-admin]-rule[1]');
  assert.not.match(lines[0] ?? '', 'secret');
  time = 1000;
  record(refused);
  const more = JSON.parse(lines[20] ?? '{}') as { message: string; count: number };
  assert.is(more.message, 'more was refused');
  assert.is(more.count, 30);
  assert.is(lines.length, 22);
});

test.run();
