/** What the demo shows, one function an act. Every figure is counted, at the caller or at the services. */
import { type Act, percent, type Stage, steadily } from './act.ts';

/** A fresh set of acts: they count from zero. */
export function createActs(): readonly Act[] {
  return [gateway(), split(), header(), retry(), delay(), mirror(), denied(), circuit()];
}

function split(): Act {
  const count = { v1: 0, v2: 0, other: 0 };
  const total = (): number => count.v1 + count.v2 + count.other;
  return {
    title: '90 % to v1, 10 % to v2',
    file: 'catalog.yaml',
    seen: () => `v1 ${count.v1}, v2 ${count.v2} of ${total()} requests: ${percent(count.v1, total())} on v1`,
    run: (stage) =>
      steadily(stage, 60, async () => {
        const { instance } = await stage.web.call('http://catalog/catalog/books');
        if (instance === 'catalog-v1') count.v1++;
        else if (instance === 'catalog-v2') count.v2++;
        else count.other++;
      }),
    verdict() {
      if (count.other > 0) return `${count.other} of ${total()} requests had no answer from catalog`;
      const share = count.v1 / total();
      // Four standard deviations of a fair 90/10 draw, so that chance alone fails it once in 16,000 runs.
      const tolerance = 4 * Math.sqrt((0.9 * 0.1) / Math.max(1, total()));
      return Math.abs(share - 0.9) <= tolerance ? undefined : `${percent(count.v1, total())} on v1 is not 90 %`;
    },
  };
}

function header(): Act {
  let sent = 0;
  let hit = 0;
  return {
    title: 'header x-tester: yes goes to v2',
    file: 'catalog.yaml',
    seen: () => `${hit} of ${sent} on v2`,
    run: (stage) =>
      steadily(stage, 5, async () => {
        const { instance } = await stage.web.call('http://catalog/catalog/books', { headers: { 'x-tester': 'yes' } });
        sent++;
        if (instance === 'catalog-v2') hit++;
      }),
    verdict: () => (sent > 0 && hit === sent ? undefined : `${sent - hit} of ${sent} testers were not on v2`),
  };
}

function retry(): Act {
  let sent = 0;
  let ok = 0;
  let failures = (): number => 0;
  return {
    title: 'a retry hides a failing instance',
    file: 'ratings.yaml',
    seen: () => `${ok} of ${sent} fine; instance ratings-a failed ${failures()} times`,
    async run(stage) {
      const a = stage.shop.instance('ratings-a');
      failures = () => a.failures;
      a.failing = 503;
      await steadily(stage, 10, async () => {
        const { status } = await stage.web.call('http://ratings/ratings/42');
        sent++;
        if (status === 200) ok++;
      });
    },
    verdict() {
      if (failures() === 0) return 'the failing instance was never called';
      return ok === sent ? undefined : `${sent - ok} of ${sent} callers saw the failure`;
    },
  };
}

function delay(): Act {
  let sent = 0;
  let held = 0;
  let failed = 0;
  return {
    title: 'half of the requests wait 300 ms',
    file: 'delivery.yaml',
    seen: () => `${held} of ${sent} held: ${percent(held, sent)}`,
    run: (stage) =>
      steadily(stage, 10, async () => {
        const { status, took } = await stage.web.call('http://delivery/delivery/today');
        sent++;
        if (status !== 200) failed++;
        else if (took >= 300) held++;
      }),
    verdict() {
      if (failed > 0) return `${failed} of ${sent} requests failed`;
      const tolerance = 4 * Math.sqrt(0.25 / Math.max(1, sent)) + 0.02;
      return sent > 0 && Math.abs(held / sent - 0.5) <= tolerance ? undefined : `${percent(held, sent)} held is not half`;
    },
  };
}

function mirror(): Act {
  let sent = 0;
  let copies = (): number => 0;
  return {
    title: 'every order is copied to audit',
    file: 'orders.yaml',
    seen: () => `${sent} orders, ${copies()} copies`,
    async run(stage) {
      const audit = stage.shop.instance('audit');
      copies = () => audit.requests;
      await steadily(stage, 5, async () => {
        const { status } = await stage.web.call('http://orders/orders', {
          method: 'POST',
          body: '{"book":42}',
          headers: { 'content-type': 'application/json' },
        });
        if (status === 200) sent++;
      });
      // Copies are sent beside the orders, not before their answers.
      for (const deadline = stage.elapsed() + 2000; copies() < sent && stage.elapsed() < deadline; ) await stage.sleep(20);
    },
    verdict: () => (sent > 0 && copies() === sent ? undefined : `${sent} orders, but ${copies()} copies`),
  };
}

function denied(): Act {
  const count = { charged: 0, denied: 0, cutOff: 0 };
  let rounds = 0;
  let charges = (): number => 0;
  return {
    title: 'only orders may charge a card',
    file: 'payments.yaml',
    seen: () => `${count.charged} by orders 200; ${count.denied} by web 403; ${count.cutOff} in plain text cut off`,
    async run(stage) {
      const payments = stage.shop.instance('payments');
      charges = () => payments.requests;
      const charge = { method: 'POST', body: '{"card":42}' };
      await steadily(stage, 4, async () => {
        const [orders, web, nobody] = await Promise.all([
          stage.orders.call('http://payments/charges', charge),
          stage.web.call('http://payments/charges', charge),
          stage.outside.call(`http://${stage.payments}/charges`, charge),
        ]);
        rounds++;
        if (orders.status === 200) count.charged++;
        if (web.status === 403) count.denied++;
        if (nobody.status === 0) count.cutOff++;
      });
    },
    verdict() {
      if (charges() !== count.charged) return `payments was charged ${charges()} times, and ${count.charged} times by orders`;
      const all = rounds > 0 && Object.values(count).every((n) => n === rounds);
      return all ? undefined : 'not every answer was as the policy says';
    },
  };
}

/** stock-a is ill from 4 s to 7 s. */
const ILL = { from: 4000, to: 7000 };

function circuit(): Act {
  let sent = 0;
  let failed = 0;
  let state = 'closed';
  let ejections = 0;
  let openedAt: number | undefined;
  let closedAt: number | undefined;
  let requestsWhenOpened = 0;
  return {
    title: 'a circuit opens and closes again',
    file: 'stock.yaml',
    seen: () =>
      `${state}; ${failed} of ${sent} failed${openedAt === undefined ? '' : `, opened at ${at(openedAt)}`}${closedAt === undefined ? '' : `, closed at ${at(closedAt)}`}`,
    async run(stage) {
      const a = stage.shop.instance('stock-a');
      const watch = (async () => {
        for (; !stage.over(); await stage.sleep(100)) {
          const ill = stage.elapsed() >= ILL.from && stage.elapsed() < ILL.to;
          a.failing = ill ? 500 : undefined;
          ejections = await stage.stat('cluster.outbound|80||stock.default.svc.cluster.local;.outlier_detection.ejections_total');
          const active = await stage.stat('cluster.outbound|80||stock.default.svc.cluster.local;.outlier_detection.ejections_active');
          if (active > 0 && state !== 'open') {
            state = 'open';
            openedAt ??= stage.elapsed();
            closedAt = undefined;
            requestsWhenOpened = a.requests;
          } else if (active === 0 && state === 'open') {
            state = 'half-open';
          }
          // Closed again when the instance that was left out serves once more.
          if (state === 'half-open' && a.failing === undefined && a.requests > requestsWhenOpened) {
            state = 'closed';
            closedAt = stage.elapsed();
          }
        }
      })();
      await steadily(stage, 20, async () => {
        const { status } = await stage.web.call('http://stock/stock/42');
        sent++;
        if (status !== 200) failed++;
      });
      await watch;
    },
    verdict() {
      if (ejections === 0 || openedAt === undefined) return 'the circuit never opened';
      if (closedAt === undefined) return 'the circuit did not close again';
      return undefined;
    },
  };
}

function gateway(): Act {
  const want = { catalog: 0, redirect: 0, notFound: 0 };
  let rounds = 0;
  return {
    title: 'the gateway routes, redirects, refuses',
    file: 'gateway.yaml',
    seen: () => `of ${rounds} each: ${want.catalog} served 200, ${want.redirect} redirected 308, ${want.notFound} refused 404`,
    run: (stage: Stage) =>
      steadily(stage, 4, async () => {
        const host = { host: 'shop.example.com' };
        const [catalog, shop, other] = await Promise.all(
          ['/catalog', '/shop', '/admin'].map((path) => stage.outside.call(`http://${stage.gateway}${path}`, { headers: host })),
        );
        rounds++;
        if (catalog?.status === 200) want.catalog++;
        if (shop?.status === 308 && shop.location?.endsWith('/catalog')) want.redirect++;
        if (other?.status === 404) want.notFound++;
      }),
    verdict: () =>
      rounds > 0 && want.catalog === rounds && want.redirect === rounds && want.notFound === rounds
        ? undefined
        : 'not every answer was as the routes say',
  };
}

function at(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
