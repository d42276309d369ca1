/** Who gets a sidecar, as people read it: istioctl's columns. */
import { formatTable } from './table.ts';

interface Checked {
  kind: string;
  namespace: string;
  name: string;
  injected: boolean;
  why: string;
  agent?: 'node' | 'pod';
  agentWhy?: string;
  webhooks: readonly { webhook: string; revision: string; tag?: string; asked: boolean; reason: string }[];
}

/** One pod with what each webhook makes of it; several as a table. */
export function injectionText(checked: readonly Checked[]): string {
  const [first] = checked;
  if (checked.length !== 1 || first === undefined)
    return formatTable({
      columns: ['POD', 'INJECTED', 'AGENT', 'REASON'],
      rows: checked.map(({ kind, namespace, name, injected, agent, why }) => [
        `${kind} ${namespace}/${name}`,
        mark(injected),
        agent ?? '-',
        why,
      ]),
    });
  const { kind, namespace, name, injected, why, agent, agentWhy, webhooks } = first;
  const table = formatTable({
    columns: ['WEBHOOK', 'REVISION', 'INJECTED', 'REASON'],
    rows: webhooks.map(({ webhook, revision, tag, asked, reason }) => [
      webhook,
      tag === undefined ? revision : `${revision} (tag ${tag})`,
      mark(asked),
      reason,
    ]),
  });
  const reader = agent === 'node' ? 'the agent of its node reads the mesh for it' : 'it reads the mesh itself';
  const reads = agent === undefined ? '' : `${reader}: ${agentWhy}\n`;
  return `${kind} ${namespace}/${name} ${injected ? 'has or gets a sidecar' : 'gets no sidecar'}: ${why}\n${reads}\n${table}`;
}

const mark = (yes: boolean): string => (yes ? 'yes' : 'no');
