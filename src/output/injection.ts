/** Who gets a sidecar, as people read it: istioctl's columns. */
import { formatTable } from './table.ts';

interface Checked {
  kind: string;
  namespace: string;
  name: string;
  injected: boolean;
  why: string;
  webhooks: readonly { webhook: string; revision: string; asked: boolean; reason: string }[];
}

/** One pod with what each webhook makes of it; several as a table. */
export function injectionText(checked: readonly Checked[]): string {
  const [first] = checked;
  if (checked.length !== 1 || first === undefined)
    return formatTable({
      columns: ['POD', 'INJECTED', 'REASON'],
      rows: checked.map(({ kind, namespace, name, injected, why }) => [`${kind} ${namespace}/${name}`, mark(injected), why]),
    });
  const { kind, namespace, name, injected, why, webhooks } = first;
  const table = formatTable({
    columns: ['WEBHOOK', 'REVISION', 'INJECTED', 'REASON'],
    rows: webhooks.map(({ webhook, revision, asked, reason }) => [webhook, revision, mark(asked), reason]),
  });
  return `${kind} ${namespace}/${name} ${injected ? 'has or gets a sidecar' : 'gets no sidecar'}: ${why}\n\n${table}`;
}

const mark = (yes: boolean): string => (yes ? 'yes' : 'no');
