/** An explanation as a picture: Graphviz (dot) or Mermaid. */
import { percent } from '../../explain/percent.ts';
import type { Explanation, Outcome, Step } from '../../explain/types.ts';
import { printable } from './paint.ts';
import { destinationText, positionText } from './words.ts';

interface Node {
  id: string;
  lines: string[];
  shape: 'start' | 'step' | 'end';
  effect: Step['effect'] | 'good' | 'bad';
}

interface Edge {
  from: string;
  to: string;
  label: string;
}

const SHOWN: ReadonlySet<Step['kind']> = new Set(['listener', 'filterChain', 'virtualHost', 'route', 'filter', 'tcpProxy']);

/** The way as nodes: what was asked, the stations that decided, and each outcome with its share. */
function graphOf({ steps, outcomes }: Explanation, asked: string): { nodes: Node[]; edges: Edge[] } {
  const nodes: Node[] = [{ id: 'request', lines: [asked], shape: 'start', effect: 'passes' }];
  const edges: Edge[] = [];
  let last = 'request';
  steps
    .filter((s) => SHOWN.has(s.kind) && !(s.kind === 'filterChain' && s.resource === '' && s.effect === 'passes'))
    .forEach((step, i) => {
      const id = `s${i}`;
      const position = step.origin && positionText(step.origin);
      const lines = [`${step.kind} ${step.resource}`.trim(), step.decision, ...(position === undefined ? [] : [position])];
      nodes.push({ id, lines, shape: 'step', effect: step.effect });
      edges.push({ from: last, to: id, label: '' });
      last = id;
    });
  for (const outcome of outcomes) {
    const id = `o${outcome.id}`;
    nodes.push({
      id,
      lines: outcomeLines(outcome),
      shape: 'end',
      effect: ['forward', 'passthrough'].includes(outcome.type) ? 'good' : 'bad',
    });
    edges.push({ from: last, to: id, label: outcomes.length > 1 ? percent(outcome.share) : '' });
  }
  return { nodes, edges };
}

function outcomeLines({ type, destination, summary, flags }: Outcome): string[] {
  const what = type === 'forward' && destination !== undefined ? destinationText(destination) : summary;
  const endpoints = type === 'forward' ? (destination?.endpoints ?? []).filter((e) => e.share > 0) : [];
  const shown = endpoints.slice(0, 3).map((e) => e.address);
  return [
    what,
    ...shown,
    ...(endpoints.length > 3 ? [`and ${endpoints.length - 3} more`] : []),
    ...(flags === '-' ? [] : [`flags ${flags}`]),
  ];
}

const COLORS = { passes: '#e8f0fe', changes: '#fff4d6', stops: '#fde0dd', unknown: '#eeeeee', good: '#d9f2d9', bad: '#fde0dd' } as const;

/** For `dot -Tsvg`. */
export function explanationDot(explanation: Explanation, asked: string): string {
  const { nodes, edges } = graphOf(explanation, asked);
  const quote = (text: string): string => `"${printable(text).replace(/["\\]/g, '\\$&')}"`;
  const label = (lines: readonly string[]): string => `"${lines.map((l) => printable(l).replace(/["\\]/g, '\\$&')).join('\\n')}"`;
  const shapes = { start: 'oval', step: 'box', end: 'box' } as const;
  return [
    'digraph explanation {',
    '  rankdir=TB;',
    '  node [fontname="sans-serif", fontsize=11, style="filled,rounded"];',
    ...nodes.map((n) => `  ${n.id} [shape=${shapes[n.shape]}, fillcolor="${COLORS[n.effect]}", label=${label(n.lines)}];`),
    ...edges.map((e) => `  ${e.from} -> ${e.to}${e.label === '' ? '' : ` [label=${quote(e.label)}]`};`),
    '}',
    '',
  ].join('\n');
}

/** For Markdown that draws Mermaid. */
export function explanationMermaid(explanation: Explanation, asked: string): string {
  const { nodes, edges } = graphOf(explanation, asked);
  // Mermaid reads HTML entities; everything that means something to it is written so.
  const entities = (text: string): string => printable(text).replace(/[^\p{L}\p{N} .,:;/()=+*-]/gu, (c) => `#${c.codePointAt(0)};`);
  const label = (lines: readonly string[]): string => `"${lines.map(entities).join('<br/>')}"`;
  const box = (n: Node): string => (n.shape === 'start' ? `([${label(n.lines)}])` : `[${label(n.lines)}]`);
  return [
    'flowchart TD',
    ...nodes.map((n) => `  ${n.id}${box(n)}`),
    ...edges.map((e) => `  ${e.from} -->${e.label === '' ? '' : `|"${entities(e.label)}"|`} ${e.to}`),
    ...Object.entries(COLORS).map(([effect, color]) => `  classDef ${effect} fill:${color},stroke:#888,color:#222`),
    ...nodes.map((n) => `  class ${n.id} ${n.effect}`),
    '',
  ].join('\n');
}
