/** Flags of commands that ask the proxy of a pod: how it is reached, and how long that may take. */
import * as Flags from '@oclif/core/flags';
import type { PodAddress } from '../kubernetes/pods.ts';
import { clusterFlags, clusterName } from './cluster-flags.ts';
import * as flags from './flags.ts';
import { span } from './within.ts';

/** Words for help and errors. */
export const POD = 'POD[.NAMESPACE]';

/** Flags that say which cluster's pods are meant. @param exclusive flags that `-k` does not go with */
export function podFlags(...exclusive: string[]) {
  return {
    kubernetes: { ...clusterFlags.kubernetes, description: 'the proxy of a pod of the kubeconfig’s cluster', exclusive },
    context: clusterFlags.context,
    namespace: { ...flags.namespace, description: 'namespace of a pod that names none [default: the context’s]' },
  };
}

export const remoteFlags = {
  via: Flags.string({
    options: ['port-forward', 'exec'],
    default: 'port-forward',
    helpValue: 'port-forward|exec',
    description: 'how a pod’s proxy is reached: a forwarded port, or pilot-agent’s or fairlead’s own command in its container',
  }),
  timeout: span('timeout', 'how long the proxy of a pod may take to answer', '15s'),
  'proxy-admin-port': Flags.integer({
    helpValue: 'PORT',
    min: 1,
    max: 65535,
    default: 15000,
    description: 'the port of the admin API in the pod',
  }),
};

/** What `remoteFlags` gave. */
export interface RemoteFlags {
  via?: string | undefined;
  timeout?: number | undefined;
  'proxy-admin-port'?: number | undefined;
}

/** @param pod as typed: `POD[.NAMESPACE]` or `TYPE/NAME[.NAMESPACE]` */
export function podChoice(
  pod: string,
  flags: RemoteFlags & { context?: string | readonly string[] | undefined; namespace?: string | undefined },
): PodAddress {
  const { context, namespace } = clusterName(flags);
  return {
    pod,
    namespace,
    context,
    via: flags.via === 'exec' ? 'exec' : 'port-forward',
    port: flags['proxy-admin-port'] ?? 15000,
    timeoutMs: flags.timeout ?? 15_000,
  };
}
