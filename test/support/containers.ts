/** Containers of a pod template as processes of this machine: their own command lines and environment, other paths and ports. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Running, startFairlead } from './cli.ts';

export interface Container {
  name: string;
  args: string[];
  env?: { name: string; value?: string; valueFrom?: { fieldRef?: { fieldPath: string } } }[];
  volumeMounts?: { name: string; mountPath: string }[];
}

/** What stands for what: paths of the container, addresses and ports of the cluster, fields of the pod (`spec.nodeName`). Longer texts are replaced first. */
export type Substitutions = Readonly<Record<string, string>>;

/** Starts `fairlead` as the container does, as whoever `kubeconfig` is. */
export function startContainer({ args, env = [] }: Container, instead: Substitutions, kubeconfig: string): Running {
  const order = Object.keys(instead).sort((a, b) => b.length - a.length);
  const replaced = (text: string): string => {
    for (const from of order) if (text.startsWith(from)) return `${instead[from]}${text.slice(from.length)}`;
    return text;
  };
  const variables = Object.fromEntries(
    env.flatMap(({ name, value, valueFrom }): [string, string][] => {
      const field = instead[valueFrom?.fieldRef?.fieldPath ?? ''];
      return value !== undefined ? [[name, replaced(value)]] : field !== undefined ? [[name, field]] : [];
    }),
  );
  if (variables['HOME']) mkdirSync(variables['HOME'], { recursive: true });
  for (const name of ['--data', '--ca-dir']) {
    const value = args[args.indexOf(name) + 1];
    if (args.includes(name) && value) mkdirSync(dirname(replaced(value)), { recursive: true });
  }
  return startFairlead(
    args.map((arg) => replaced(expanded(arg, variables))),
    { ...variables, KUBECONFIG: kubeconfig },
  );
}

/** https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/ */
const expanded = (text: string, variables: Record<string, string>): string =>
  text.replaceAll(/\$\((\w+)\)/g, (all, name: string) => variables[name] ?? all);
