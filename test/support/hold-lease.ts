/** Holds a lease until it is killed; says when it has it. KUBECONFIG, name, identity, seconds. */
import { holdLease } from '../../src/kubernetes/lease.ts';
import { clientOf } from './kube-api.ts';

const [kubeconfig = '', name = '', identity = '', seconds = ''] = process.argv.slice(2);
holdLease({
  client: clientOf(kubeconfig),
  namespace: 'default',
  name,
  identity,
  durationMs: Number(seconds) * 1000,
  log: { info: () => undefined, warning: () => undefined },
  held: () => void process.stdout.write('held\n'),
});
