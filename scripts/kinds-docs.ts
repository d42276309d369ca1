/**
 * Writes docs/kinds.md, the reference of all kinds, from their declarations.
 *
 *   node scripts/kinds-docs.ts [--check]
 *
 * With --check nothing is written; the exit code is 1 when the file is not what it should be.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TSchema } from 'typebox';
import { parseDocument } from 'yaml';
import { MeshConfig, MeshNetworks } from '../src/config/kinds/mesh-config.ts';
import { kinds } from '../src/config/kinds/registry.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

interface Node {
  type?: string;
  description?: string;
  properties?: Record<string, Node>;
  required?: string[];
  patternProperties?: { '^.*$': Node };
  items?: Node;
  anyOf?: Node[];
  enum?: string[];
  format?: string;
  minimum?: number;
  maximum?: number;
  deprecated?: boolean;
  'x-oneof'?: string[][];
}

/** Where an object's fields were first listed, by the fields: shared ones are listed once. */
const listed = new Map<unknown, { section: string; path: string }>();

const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w -]/g, '')
    .replaceAll(' ', '-');
const cell = (text: string): string => text.replaceAll('|', '\\|');

function range({ minimum, maximum }: Node): string {
  if (minimum === undefined || minimum < -1e9) return maximum === undefined || maximum > 1e9 ? '' : ` up to ${maximum}`;
  return maximum === undefined || maximum > 1e9 ? ` from ${minimum}` : ` ${minimum} to ${maximum}`;
}

function typeOf(node: Node): string {
  if (node.enum) return 'enum';
  if (node.anyOf) return node.anyOf.map(typeOf).join(' or ');
  if (node.items) return `list of ${plural(typeOf(node.items))}`;
  if (node.patternProperties)
    return node.patternProperties['^.*$'].type === undefined ? 'any object' : `map of ${plural(typeOf(node.patternProperties['^.*$']))}`;
  if (node.format === 'duration') return 'duration';
  if (node.type === 'integer' || node.type === 'number') return `${node.type}${range(node)}`;
  return node.type ?? 'anything';
}

const plural = (type: string): string => (type.startsWith('list') ? type.replace('list', 'lists') : type.replace(/^(\w+)/, '$1s'));

function rows(node: Node, path: string, section: string, out: string[]): void {
  if (node.items) rows(node.items, `${path}[]`, section, out);
  if (node.patternProperties) rows(node.patternProperties['^.*$'], `${path}.*`, section, out);
  if (!node.properties) return;
  if (!listed.has(node.properties)) listed.set(node.properties, { section, path });
  const exclusive = new Map<string, string[]>();
  for (const group of node['x-oneof'] ?? [])
    for (const name of group)
      exclusive.set(
        name,
        group.filter((other) => other !== name),
      );
  for (const [name, field] of Object.entries(node.properties)) {
    const at = path === '' ? name : `${path}.${name}`;
    const others = exclusive.get(name);
    const inner = field.items?.items ?? field.items ?? field.patternProperties?.['^.*$'] ?? field;
    const known = inner.properties && Object.keys(inner.properties).length > 0 ? listed.get(inner.properties) : undefined;
    const notes = [
      field.deprecated ? '**Deprecated.**' : '',
      field.description ?? '',
      others && others.length <= 4 ? `Excludes ${others.map((o) => `\`${o}\``).join(', ')}.` : '',
      others && others.length > 4 ? 'Excludes its siblings of this sort.' : '',
      inner.enum ? `Values: ${inner.enum.map((v) => (v === '' ? 'empty' : `\`${v}\``)).join(', ')}.` : '',
      known
        ? `Fields: as \`${known.path || 'the whole'}\`${known.section === section ? '' : ` of [${known.section}](#${anchor(known.section)})`}.`
        : '',
    ];
    const must = node.required?.includes(name) ? ' (required)' : '';
    out.push(`| \`${at}\`${must} | ${cell(typeOf(field))} | ${cell(notes.filter(Boolean).join(' '))} |`);
    if (!known) rows(field, at, section, out);
  }
}

/** The first example of each kind, by `<apiVersion's group>/<kind>`; those of MeshConfig and MeshNetworks by file. */
function examples(): Map<string, string> {
  const folder = join(root, 'test/config/kinds/examples');
  const found = new Map<string, string>();
  for (const file of readdirSync(folder)) {
    const [first = ''] = readFileSync(join(folder, file), 'utf8').split('\n---\n');
    const { apiVersion, kind } = parseDocument(first).toJS() as { apiVersion?: string; kind?: string };
    const group = apiVersion?.includes('/') ? apiVersion.split('/')[0] : '';
    found.set(kind === undefined ? file : `${group}/${kind}`, first.trim());
  }
  return found;
}

function section(heading: string, lines: string[], schema: TSchema, prefix: string, example: string | undefined): string {
  const out: string[] = [];
  rows(schema as unknown as Node, prefix, heading, out);
  return [
    `## ${heading}`,
    '',
    ...lines,
    '',
    '| field | type | |',
    '|---|---|---|',
    ...out,
    '',
    ...(example === undefined ? [] : ['<details><summary>Example</summary>', '', '```yaml', example, '```', '', '</details>', '']),
  ].join('\n');
}

/** Kinds of one name in two groups are told apart by the group. */
function headingOf(kind: (typeof kinds)[number]): string {
  return kinds.find((k) => k.kind === kind.kind) === kind ? kind.kind : `${kind.kind} of ${kind.group}`;
}

function document(): string {
  const shown = examples();
  const index = kinds.map(
    (k) =>
      `| [${headingOf(k)}](#${anchor(headingOf(k))}) | ${k.group || 'core'} | ${k.versions.join(', ')} | ${[k.plural, ...k.shortNames].join(', ')} | ${k.description} |`,
  );
  return [
    '# Kinds',
    '',
    '<!-- Written by scripts/kinds-docs.ts from src/config/kinds; do not edit. -->',
    '',
    'What can stand in configuration, to the last field. `fairlead schema KIND` prints the same as JSON Schema.',
    '',
    "In paths `[]` stands for the entries of a list and `.*` for the values of a map. A duration is a number with a unit, as Go writes it: `1.5s`, `1h30m`, `100ms`. Unknown fields of Istio's kinds are errors; of Kubernetes' own kinds only what a mesh reads is listed, and other fields pass.",
    '',
    '| kind | group | versions | names | |',
    '|---|---|---|---|---|',
    ...index,
    '| [MeshConfig](#meshconfig) | | | | Settings of the whole mesh: a document of its own, or key `mesh` of ConfigMap `istio`. |',
    '| [MeshNetworks](#meshnetworks) | | | | Networks of the mesh: a document of its own, or key `meshNetworks` of ConfigMap `istio`. |',
    '',
    ...kinds.map((k) =>
      section(
        headingOf(k),
        [
          k.description,
          '',
          `apiVersion: ${k.versions.map((v) => `\`${k.group === '' ? v : `${k.group}/${v}`}\``).join(', ')}. ${k.scope === 'Cluster' ? 'Belongs to no namespace.' : 'Belongs to a namespace.'}`,
        ],
        k.schema,
        k.payload === 'spec' ? 'spec' : '',
        shown.get(`${k.group}/${k.kind}`),
      ),
    ),
    section('MeshConfig', ['Settings of the whole mesh.'], MeshConfig, '', undefined),
    section(
      'MeshNetworks',
      ['Networks of the mesh, for meshes whose endpoints do not all reach each other.'],
      MeshNetworks,
      '',
      shown.get('mesh-networks.yaml'),
    ),
  ].join('\n');
}

const file = join(root, 'docs/kinds.md');
const text = document();
if (!process.argv.includes('--check')) writeFileSync(file, text);
else if (readFileSync(file, 'utf8') !== text) {
  console.error('docs/kinds.md does not match the declarations; run: node scripts/kinds-docs.ts');
  process.exitCode = 1;
}
