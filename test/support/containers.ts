/** Containers of a pod template as processes of this machine: their own command lines and environment, other paths and ports. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Running, startFairlead } from './cli.ts';

export interface Container {
  name: string;
  args: string[];
  env?: { name: string; value: string }[];
  volumeMounts?: { name: string; mountPath: string }[];
}

/** What stands for what: paths of the container, addresses and ports of the cluster. Longer texts are replaced first. */
export type Substitutions = Readonly<Record<string, string>>;

/** Starts `fairlead` as the container does, as whoever `kubeconfig` is. */
export function startContainer({ args, env = [] }: Container, instead: Substitutions, kubeconfig: string): Running {
  const order = Object.keys(instead).sort((a, b) => b.length - a.length);
  const replaced = (text: string): string => {
    for (const from of order) if (text.startsWith(from)) return `${instead[from]}${text.slice(from.length)}`;
    return text;
  };
  const variables = Object.fromEntries(env.map(({ name, value }) => [name, replaced(value)]));
  if (variables['HOME']) mkdirSync(variables['HOME'], { recursive: true });
  for (const name of ['--data', '--ca-dir']) {
    const value = args[args.indexOf(name) + 1];
    if (args.includes(name) && value) mkdirSync(dirname(replaced(value)), { recursive: true });
  }
  return startFairlead(args.map(replaced), { ...variables, KUBECONFIG: kubeconfig });
}
