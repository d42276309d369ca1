import type { DecidingPolicy } from '../types.ts';
import type { Locator } from '../view.ts';

/** The policy that a name in a filter stands for: `ns[shop]-policy[web]-rule[0]`, of a provider with more around it. */
export function policyOf(name: string, action: string, locator: Locator | undefined): DecidingPolicy {
  const [, namespace = '', policy = name, rule] = /ns\[([^\]]*)\]-policy\[([^\]]*)\]-rule\[(\d+)\]/.exec(name) ?? [];
  const origin = locator?.policy(name);
  return {
    kind: 'AuthorizationPolicy',
    name: policy,
    namespace,
    action,
    ...(rule !== undefined && { rule: Number(rule) }),
    ...(origin !== undefined && { origin }),
  };
}

/** `payments-to-billing rule 1`: rules are counted from 1, as people do. */
export function policyText({ namespace, name, rule }: DecidingPolicy): string {
  return `${namespace === '' ? name : `${namespace}/${name}`}${rule === undefined ? '' : ` rule ${rule + 1}`}`;
}
