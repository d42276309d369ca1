/** The proxy of a pod, from outside: the pod, its proxy, what that was told, and where it can send. */
import type { PodProbes } from '../probes.ts';
import type { Check } from '../types.ts';

const DAY = 86_400_000;
/** Istio's and Fairlead's certificates live for a day and are renewed at half of that. */
const SOON = DAY / 24;
const MOST_DETAILS = 12;

const plural = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`;
const some = (details: readonly string[]): string[] =>
  details.length <= MOST_DETAILS ? [...details] : [...details.slice(0, MOST_DETAILS), `and ${details.length - MOST_DETAILS} more`];

export const podChecks: readonly Check<PodProbes>[] = [
  {
    id: 'pod/running',
    what: 'the pod runs',
    why: 'A pod that does not run has no proxy to ask.',
    severity: 'error',
    next: 'See its events: `kubectl describe pod`.',
    async run({ pod }) {
      const { name, phase, reason, node, ready } = await pod();
      if (phase !== 'Running') return { state: 'failed', message: `${name} is ${phase}${reason ? `: ${reason}` : ''}` };
      if (ready) return { state: 'ok', message: `${name}, on node ${node}` };
      return { state: 'failed', severity: 'warning', message: `${name} runs and is not ready${reason ? `: ${reason}` : ''}` };
    },
  },
  {
    id: 'pod/proxy',
    what: 'it has a proxy, which was not restarted',
    why: 'Without a proxy its traffic goes past the mesh; one that restarts drops connections each time.',
    severity: 'error',
    next: '`fairlead check-inject` says why a pod gets no proxy; `kubectl logs --previous` has the last words of one that ended.',
    after: ['pod/running'],
    async run({ pod }) {
      const { proxy, containers } = await pod();
      if (proxy === undefined) return { state: 'failed', message: `no container of it is a proxy: ${containers.join(', ')}` };
      const { container, state, restarts } = proxy;
      if (state !== undefined && state !== 'running') return { state: 'failed', message: `container ${container} is ${state}` };
      if (restarts === 0) return { state: 'ok', message: `container ${container}` };
      return { state: 'failed', severity: 'warning', message: `container ${container} was restarted ${plural(restarts, 'time')}` };
    },
  },
  {
    id: 'proxy/reachable',
    what: 'its admin API answers',
    why: 'What cannot be asked cannot be looked into.',
    severity: 'error',
    next: 'See whether the API server reaches the kubelet, and whether the admin API is on another port (--proxy-admin-port).',
    after: ['pod/proxy'],
    async run({ facts }) {
      const { version, kind } = await facts();
      return { state: 'ok', message: `${version}${kind === 'fairlead' ? ', run by an agent of Fairlead' : ''}` };
    },
  },
  {
    id: 'proxy/ready',
    what: 'it is live',
    why: 'A proxy that drains or is being initialized takes no new traffic.',
    severity: 'error',
    next: 'One that stays in PRE_INITIALIZING waits for its first configuration: see the next check, and its log.',
    after: ['proxy/reachable'],
    async run({ ready }) {
      const state = await ready();
      return state === 'LIVE' ? { state: 'ok', message: state } : { state: 'failed', message: `it is ${state}` };
    },
  },
  {
    id: 'config/synced',
    what: 'it has what its control plane wants it to have',
    why: 'A proxy that is cut off, or that refuses what it is sent, goes on with what it had.',
    severity: 'error',
    next: 'Correct what is refused (`fairlead analyze -k`); a proxy without a stream to its control plane needs that to be reachable from the pod.',
    after: ['proxy/reachable'],
    async run({ facts }) {
      const { sync, controlPlane, problems } = await facts();
      const by = controlPlane === undefined ? '' : ` by ${controlPlane}`;
      if (sync === 'SYNCED') return { state: 'ok', message: `in sync${by}` };
      if (sync === 'STATIC') return { state: 'nothing', message: 'it has no control plane: its configuration is from files' };
      const details = some(problems.map(({ message }) => message));
      const message =
        sync === 'ERROR' ? `${plural(problems.length, 'resource')} refused${by}` : `it is ${sync}: ${SYNC[sync] ?? 'it has not taken all'}`;
      return { state: 'failed', message, details };
    },
  },
  {
    id: 'certificates/expiry',
    what: 'none of its certificates has expired, or will within the hour',
    why: 'An expired certificate breaks every connection that needs it, all at once.',
    severity: 'error',
    next: '`fairlead proxy-config secret -k` shows them; see whether the CA is reachable from the pod.',
    after: ['proxy/reachable'],
    async run(probes) {
      const found = await probes.certificates();
      if (found.length === 0) return { state: 'nothing', message: 'it holds no certificates' };
      const now = probes.now();
      const soon = found.filter(({ notAfter }) => notAfter === undefined || notAfter - now < SOON);
      if (soon.length === 0) return { state: 'ok', message: plural(found.length, 'certificate') };
      const over = soon.some(({ notAfter }) => notAfter === undefined || notAfter < now);
      return {
        state: 'failed',
        severity: over ? 'error' : 'warning',
        message: `${plural(soon.length, 'certificate')} expired or about to`,
        details: some(
          soon.map(({ name, notAfter }) => `${name}: ${notAfter === undefined ? 'never issued' : new Date(notAfter).toISOString()}`),
        ),
      };
    },
  },
  {
    id: 'listeners/present',
    what: 'it has listeners',
    why: 'Without listeners it takes no traffic.',
    severity: 'error',
    next: '`fairlead proxy-config listener -k` shows what it has; what it should have: the same with --proxy.',
    after: ['proxy/ready'],
    async run({ listeners }) {
      const found = await listeners();
      if (found.length > 0) return { state: 'ok', message: plural(found.length, 'listener') };
      return { state: 'failed', message: 'it has none' };
    },
  },
  {
    id: 'endpoints/healthy',
    what: 'every service that it knows has a healthy endpoint',
    why: 'Requests for a service without one end in 503.',
    severity: 'warning',
    next: '`fairlead proxy-config endpoint -k --status unhealthy` lists them; see the pods behind the services.',
    after: ['proxy/ready'],
    async run({ clusters }) {
      const services = (await clusters()).filter(({ name }) => name.startsWith('outbound|'));
      if (services.length === 0) return { state: 'nothing', message: 'it knows no services' };
      const bad = services.filter(({ hosts }) => !hosts.some(({ healthy }) => healthy));
      if (bad.length === 0) return { state: 'ok', message: plural(services.length, 'service') };
      const why = ({ name, hosts }: (typeof bad)[number]): string => {
        const [, port, subset, host] = name.split('|');
        const what =
          hosts.length === 0
            ? 'no endpoints'
            : hosts
                .slice(0, 3)
                .map((h) => `${h.address} ${h.why}`)
                .join(', ');
        return `${host}:${port}${subset ? ` subset ${subset}` : ''}: ${what}`;
      };
      return { state: 'failed', message: `${bad.length} of ${services.length} have none`, details: some(bad.map(why)) };
    },
  },
];

const SYNC: Readonly<Record<string, string>> = {
  STALE: 'it has no stream to its control plane',
  'NOT SENT': 'it has never been told a configuration',
  STARTING: 'its first configuration is on the way',
};
