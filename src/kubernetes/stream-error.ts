import { FairleadError } from '../errors.ts';
import { ApiStatusError, deniedWhat, isForbidden } from './api-error.ts';

/** Where a pod is in the API. */
export function podPath({ namespace, pod }: { namespace: string; pod: string }): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}`;
}

/**
 * What went wrong with a stream to a pod, as an error that says what to do: E_POD_UNKNOWN, E_POD_UNREACHABLE, or E_CLUSTER_FORBIDDEN with
 * the verb and the resource. Other errors are given back as they are.
 *
 * @param resource as roles name it: `pods/portforward`
 */
export function streamError(error: Error, at: { namespace: string; pod: string }, resource: string): Error {
  const name = `${at.namespace}/${at.pod}`;
  if (isForbidden(error)) {
    const what = deniedWhat(error);
    const denied = what === error.message ? `create ${resource}` : what;
    return new FairleadError('E_CLUSTER_FORBIDDEN', `this user may not ${denied} in namespace ${at.namespace}: ${error.message}`, {
      next: `Grant ${resource === 'pods/log' ? 'get' : 'get and create'} on ${resource}; docs/debugging.md has the smallest Role.${resource === 'pods/portforward' ? ' Where exec is allowed: --via exec.' : ''}`,
      cause: error,
    });
  }
  if (!(error instanceof ApiStatusError)) return error;
  const told = error.message.replace(/^.*? answers \d+ to \w+ \S+: /, '');
  if (error.status === 404 && /^pods? /.test(told))
    return new FairleadError('E_POD_UNKNOWN', `there is no pod ${name}`, { next: 'List them with kubectl get pods.', cause: error });
  const next = /container .* is not valid/.test(told)
    ? 'See which containers the pod has.'
    : /does not have a host assigned/.test(told)
      ? 'It waits for a node: see its events.'
      : 'See whether its node is ready, and whether the API server reaches the kubelet there.';
  return new FairleadError('E_POD_UNREACHABLE', `the pod ${name} cannot be asked: ${told}`, { next, cause: error });
}
