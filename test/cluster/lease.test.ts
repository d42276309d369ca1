/** Leases on a real API server: one holder at a time, whatever happens to it. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ApiClient } from '../../src/kubernetes/client.ts';
import { holdLease, type Lease, type LeaseOptions } from '../../src/kubernetes/lease.ts';
import { until } from '../support/cluster-objects.ts';
import { startCutProxy } from '../support/cut-proxy.ts';
import { clientOf, type KubeApi, type KubeObject, startKubeApi } from '../support/kube-api.ts';

const SECONDS = 3;
const started = await startKubeApi();
if ('missing' in started) {
  console.log(`SKIP leases on a cluster: ${started.missing}`);
  test('there is no API server on this machine', () => undefined);
} else {
  const api = started;
  test.after(() => api.stop());

  test('of three who begin at once one has it; the next has it as soon as it is released', async () => {
    const clients = ['a', 'b', 'c'].map((id) => clientOf(api.kubeconfigFor(id, 'admin-token')));
    const events: string[] = [];
    let now = 0;
    let most = 0;
    const all = new Map(
      clients.map((client, i) => {
        const id = 'abc'[i] as string;
        const held = (signal: AbortSignal): void => {
          most = Math.max(most, ++now);
          events.push(id);
          signal.addEventListener('abort', () => void now--);
        };
        return [id, contend(client, 'three', id, { held })] as const;
      }),
    );
    await until('one has it', () => events.length === 1);
    for (let n = 1; n <= 3; n++) {
      const holder = events.at(-1) as string;
      const lease = all.get(holder) as Lease;
      await until('all others know', () => [...all.values()].every((other) => other.holder() === holder));
      assert.equal(
        [...all].filter(([, other]) => other.isHeld()).map(([id]) => id),
        [holder],
      );
      assert.is((await specOf(api, 'three')).leaseTransitions, n - 1);
      await lease.close();
      all.delete(holder);
      assert.not(lease.isHeld());
      if (n < 3) await until('the next has it', () => events.length === n + 1);
    }
    assert.equal([...events].sort(), ['a', 'b', 'c']);
    assert.is(most, 1);
    assert.is((await specOf(api, 'three')).holderIdentity, '');
    for (const client of clients) client.close();
  });

  test('a holder that is killed is followed by another, after its time and no sooner', async () => {
    const script = fileURLToPath(new URL('../support/hold-lease.ts', import.meta.url));
    const child = spawn(process.execPath, [script, api.kubeconfig, 'killed', 'first', String(SECONDS)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (data) => {
      said += data;
    });
    await until('the first has it', () => said === 'held\n');
    let tookAt = 0;
    const second = contend(api.admin, 'killed', 'second', {
      held() {
        tookAt = Date.now();
      },
    });
    await until('the second knows', () => second.holder() === 'first');
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    const { renewTime = '' } = await specOf(api, 'killed');
    await until('the second has it', () => tookAt > 0, 30_000);
    assert.ok(tookAt - Date.parse(renewTime) >= SECONDS * 1000, 'it waited for the whole time');
    assert.is((await specOf(api, 'killed')).holderIdentity, 'second');
    await second.close();
  });

  test('a holder that is cut off ends before another begins, and comes back as a contender', async () => {
    for (const how of ['freeze', 'refuse'] as const) {
      const proxy = await startCutProxy(api.port);
      const far = clientOf(api.kubeconfigFor(`far-${how}`, 'admin-token', proxy.port));
      const events: string[] = [];
      const watch = (id: string): Partial<LeaseOptions> => ({
        held(signal) {
          events.push(`${id} begins`);
          signal.addEventListener('abort', () => events.push(`${id} ends`));
        },
        lost: () => void events.push(`${id} is told`),
      });
      const a = contend(far, `cut-${how}`, 'a', watch('a'));
      await until('a has it', () => a.isHeld());
      const b = contend(api.admin, `cut-${how}`, 'b', watch('b'));
      await until('b knows', () => b.holder() === 'a');
      // A frozen connection is one on which nothing is ever answered; new ones are refused too, else it would only be slow.
      if (how === 'freeze') proxy.freeze();
      else proxy.refuse();
      if (how === 'freeze') await until('a is late', () => !a.isHeld() || proxy.accepted() > 1, 30_000);
      proxy.refuse();
      await until('b has it', () => b.isHeld(), 30_000);
      assert.equal(events, ['a begins', 'a ends', 'a is told', 'b begins']);
      assert.not(a.isHeld());
      proxy.heal();
      await until('a knows', () => a.holder() === 'b', 30_000);
      await b.close();
      await until('a has it again', () => a.isHeld(), 30_000);
      await a.close();
      far.close();
      await proxy.close();
    }
  });

  test('the clocks of others do not count: a record is judged by when it was last seen to change', async () => {
    for (const [name, renewTime] of [
      ['past', '2001-01-01T00:00:00.000000Z'],
      ['future', '2099-01-01T00:00:00.000000Z'],
    ] as const) {
      await api.create(leaseOf(name, { holderIdentity: 'other', leaseDurationSeconds: 2, renewTime, acquireTime: renewTime }));
      const from = performance.now();
      const lease = contend(api.admin, name, 'me');
      await until('it is mine', () => lease.isHeld(), 30_000);
      assert.ok(performance.now() - from >= 2000, name);
      await lease.close();
    }
  });

  test('somebody else’s edit of the object costs nothing; a holder whose lease was taken away ends at once', async () => {
    const ended: string[] = [];
    const lease = contend(api.admin, 'edited', 'me', { held: (signal) => signal.addEventListener('abort', () => ended.push('ended')) });
    await until('it is mine', () => lease.isHeld());
    await api.patch(leaseOf('edited', {}), { metadata: { labels: { by: 'somebody' } } });
    const { renewTime } = await specOf(api, 'edited');
    await until('it is renewed', async () => (await specOf(api, 'edited')).renewTime !== renewTime);
    assert.equal(ended, []);
    assert.equal((await leaseAt(api, 'edited')).metadata['labels'], { by: 'somebody' });
    await api.patch(leaseOf('edited', {}), { spec: { holderIdentity: 'usurper' } });
    await until('it is lost', () => ended.length === 1);
    assert.is(lease.holder(), 'usurper');
    assert.not(lease.isHeld());
    await lease.close();
    assert.is((await specOf(api, 'edited')).holderIdentity, 'usurper', 'nothing is released that another has');
  });

  test('a lease that is in this identity’s name already is its own at once, as after a crash', async () => {
    const renewTime = new Date().toISOString().replace('Z', '000Z');
    await api.create(leaseOf('again', { holderIdentity: 'me', leaseDurationSeconds: 3600, renewTime, leaseTransitions: 4 }));
    const lease = contend(api.admin, 'again', 'me');
    await until('it is mine', () => lease.isHeld());
    const spec = await specOf(api, 'again');
    assert.equal([spec.leaseTransitions, spec.leaseDurationSeconds], [4, SECONDS]);
    await lease.close();
  });

  test('close waits for what the lease is for before anybody else can begin', async () => {
    const events: string[] = [];
    let finish: () => void = () => undefined;
    const work = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const a = contend(api.admin, 'slow', 'a', {
      async held(signal) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        events.push('a is told');
        await work;
        events.push('a is done');
      },
    });
    await until('a has it', () => a.isHeld());
    const b = contend(api.admin, 'slow', 'b', { held: () => void events.push('b begins') });
    const closed = a.close();
    await until('a is told', () => events.length === 1);
    const { renewTime } = await specOf(api, 'slow');
    await until('it is renewed meanwhile', async () => (await specOf(api, 'slow')).renewTime !== renewTime);
    finish();
    await closed;
    await until('b has it', () => b.isHeld());
    assert.equal(events, ['a is told', 'a is done', 'b begins']);
    await b.close();
  });

  test('a holder whose work fails lets another have it', async () => {
    const notes: string[] = [];
    const log = {
      info: () => undefined,
      warning: (message: string, fields?: object) => void notes.push(`${message} ${JSON.stringify(fields)}`),
    };
    const broken = contend(api.admin, 'broken', 'a', { log, held: () => Promise.reject(new Error('no disk')) });
    await until('it failed', () => notes.length === 1);
    assert.match(notes[0] as string, /is released.*no disk/);
    await until('it is released', async () => (await specOf(api, 'broken')).holderIdentity === '');
    const b = contend(api.admin, 'broken', 'b');
    await until('b has it', () => b.isHeld());
    await Promise.all([broken.close(), b.close()]);
  });

  test('who may not have leases is told so, once, and goes on asking', async () => {
    const notes: string[] = [];
    const log = {
      info: () => undefined,
      warning: (message: string, fields?: object) => void notes.push(`${message} ${JSON.stringify(fields)}`),
    };
    const nobody = clientOf(api.kubeconfigFor('nobody', 'nobody-token'));
    const lease = contend(nobody, 'forbidden', 'nobody', { log });
    await until('it is told', () => notes.length === 1);
    assert.match(notes[0] as string, /cannot be asked for.*cannot get resource.*leases/);
    await lease.close();
    nobody.close();
    assert.is(notes.length, 1);
  });
}

function contend(client: ApiClient, name: string, identity: string, more: Partial<LeaseOptions> = {}): Lease {
  const log = { info: () => undefined, warning: () => undefined };
  return holdLease({ client, namespace: 'default', name, identity, durationMs: SECONDS * 1000, log, held: () => undefined, ...more });
}

interface Spec {
  holderIdentity?: string;
  leaseTransitions?: number;
  leaseDurationSeconds?: number;
  renewTime?: string;
}

const leaseOf = (name: string, spec: object): KubeObject => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name, namespace: 'default' },
  spec,
});

const leaseAt = (api: KubeApi, name: string): Promise<KubeObject> =>
  api.admin.request(`/apis/coordination.k8s.io/v1/namespaces/default/leases/${name}`) as Promise<KubeObject>;

const specOf = async (api: KubeApi, name: string): Promise<Spec> => ((await leaseAt(api, name)) as { spec?: Spec }).spec ?? {};

test.run();
