/** Prometheus' text format 0.0.4. https://prometheus.io/docs/instrumenting/exposition_formats/ */
import type { Family } from './family.ts';
import type { Labels } from './labels.ts';

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Backslash, quote and line feed are written with a backslash. */
export function escapeLabel(value: string): string {
  return /[\\"\n]/.test(value) ? value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`)) : value;
}

/** `a="1",b="2"`; labels without a value are left out. */
export function labelText(labels: Labels): string {
  let text = '';
  for (const name in labels) {
    const value = labels[name]!;
    if (value !== '') text += `${text === '' ? '' : ','}${name}="${escapeLabel(value)}"`;
  }
  return text;
}

/** Families without series are left out. */
export function familyText({ name, type, help, samples }: Family): string {
  let text = '';
  for (const { suffix, labels, value } of samples()) text += `${name}${suffix}${labels === '' ? '' : `{${labels}}`} ${value}\n`;
  return text === '' ? '' : `# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}\n# TYPE ${name} ${type}\n${text}`;
}
