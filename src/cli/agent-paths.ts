import { relative, resolve, sep } from 'node:path';

/** What an agent says about where its configuration comes from: GET /fairlead/v1/config. */
export interface AgentConfigAnswer {
  readonly paths: readonly string[];
  /** What it reads besides: `the cluster prod`. */
  readonly cluster?: string;
  readonly meshConfig?: string;
  readonly directory: string;
  readonly namespace: string;
  readonly engine: 'embedded' | 'envoy' | 'pods';
  readonly state: 'loading' | 'accepted' | 'refused';
}

/** What a running agent reads, as paths of this process: they are short where they are below its own directory. */
export function agentPaths(answer: AgentConfigAnswer): { paths: string[]; meshConfig: string | undefined; namespace: string } {
  const here = (path: string): string => {
    const absolute = resolve(answer.directory, path);
    const short = relative(process.cwd(), absolute);
    return short === '' ? '.' : short === '..' || short.startsWith(`..${sep}`) ? absolute : short;
  };
  const { paths, meshConfig, namespace } = answer;
  return { paths: paths.map(here), meshConfig: meshConfig === undefined ? undefined : here(meshConfig), namespace };
}
