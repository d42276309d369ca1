/** When a step of a shift has arrived: in the agent's watch first, then in its proxies. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ShiftAgent, syncAgent } from '../../src/cli/shift-steering.ts';

const wanted = { kind: 'VirtualService', namespace: 'shop', name: 'reviews', uid: 'u-1', generation: 4 };

/** An agent whose watch is at one generation more with each question. */
function agentAt(uid: string, generation: number): ShiftAgent & { asked: string[] } {
  const asked: string[] = [];
  let at = generation;
  return {
    asked,
    getJson: async <T>(path: string) => {
      asked.push(`GET ${path}`);
      return [{ ...wanted, uid, generation: at++ }] as T;
    },
    post: async <T>(path: string) => {
      asked.push(`POST ${path}`);
      return { config: { state: 'accepted', problems: [] }, proxies: [{ name: 'web.shop', sync: 'SYNCED', problems: [] }] } as T;
    },
    stream: () => () => undefined,
  };
}

test('proxies are asked once the watch has brought that generation', async () => {
  const agent = agentAt('u-1', 2);
  assert.is(await syncAgent(agent, 10_000, wanted), 1);
  const resources = 'GET /fairlead/v1/resources?kind=VirtualService&namespace=shop&name=reviews';
  assert.equal(agent.asked, [resources, resources, resources, 'POST /fairlead/v1/sync']);
});

test('an agent of another cluster is found out', async () => {
  const error = await syncAgent(agentAt('u-2', 9), 150, wanted).then(
    () => undefined,
    (thrown: Error & { code: string; next: string }) => thrown,
  );
  assert.is(error?.code, 'E_ENGINE_FAILED');
  assert.match(error?.next ?? '', /It reads another cluster/);
});

test.run();
