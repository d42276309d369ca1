import type { AnyJson } from '@bufbuild/protobuf/wkt';
import type { RE2JS } from 're2js';
import type { ConfigDumpJson } from '#envoy-api/envoy/admin/v3/config_dump_pb.js';
import { re2 } from '../../re2.ts';
import { applyFieldMask, camelName, type FieldMask, parseFieldMask } from './field-mask.ts';
import { repeatedFields, sectionOf, sectionType } from './sections.ts';

/** The query of `/config_dump`, as Envoy documents it. */
export interface DumpQuery {
  /** A repeated field of a section: `dynamic_listeners`, `static_clusters`. */
  resource?: string | undefined;
  /** A field mask: of the resource's elements, or without `resource` of the sections. */
  mask?: string | undefined;
  /** RE2 that a resource's whole name must match. */
  nameRegex?: string | undefined;
  /** Endpoints are left out unless this is set. */
  includeEds?: boolean | undefined;
}

/** A dump, or what Envoy answers instead: a status and one line of text. */
export type FilteredDump = { dump: ConfigDumpJson } | { status: 400 | 404; message: string };

type JsonObject = Record<string, unknown>;

/** Reads the query part of `/config_dump?…`. */
export function dumpQuery(params: URLSearchParams): DumpQuery {
  return {
    resource: params.get('resource') ?? undefined,
    mask: params.get('mask') ?? undefined,
    nameRegex: params.get('name_regex') ?? undefined,
    includeEds: params.has('include_eds'),
  };
}

const messageOf = (section: AnyJson): string => String(section['@type']).split('.').at(-1) ?? '';

/** The repeated fields of a section; undefined for the bootstrap, which has none. */
function listsOf(section: AnyJson): Readonly<Record<string, string>> | undefined {
  const name = sectionOf(messageOf(section));
  return name === undefined || name === 'bootstrap' ? undefined : repeatedFields[name];
}

/** The name of one element: its own, or that of the resource in it. */
function nameOf(element: JsonObject): string {
  if (typeof element['name'] === 'string') return element['name'];
  for (const value of Object.values(element)) {
    if (typeof value !== 'object' || value === null) continue;
    const inner = value as JsonObject;
    const name = inner['name'] ?? inner['clusterName'];
    if (typeof name === 'string') return name;
  }
  return '';
}

/** Fields of the elements of sections: what the first part of a mask over them can name. */
const elementFields: ReadonlySet<string> = new Set(
  'name cluster listener routeConfig endpointConfig secret ecdsFilter versionInfo lastUpdated activeState warmingState drainingState errorState clientStatus'.split(
    ' ',
  ),
);

/** Envoy applies a mask to a section only when every path of it is a field there; masks end at lists. */
function maskApplies(section: AnyJson, mask: FieldMask): boolean {
  const lists = listsOf(section);
  return [...mask].every(([field, below]) => {
    if (field === 'lastUpdated') return lists === undefined;
    if (field === 'versionInfo') return /\.(?:Clusters|Listeners)ConfigDump$/.test(String(section['@type']));
    if (lists !== undefined) return Object.hasOwn(lists, field) && below.size === 0;
    const masked = applyFieldMask((section as JsonObject)[field], below);
    return field === 'bootstrap' && Object.keys(masked ?? {}).length > 0;
  });
}

function byName(section: AnyJson, matches: (name: string) => boolean): AnyJson {
  const lists = listsOf(section);
  if (lists === undefined) return section;
  const out: JsonObject = { ...section };
  for (const field of Object.keys(lists)) {
    const elements = out[field];
    if (Array.isArray(elements)) out[field] = elements.filter((e) => matches(nameOf(e as JsonObject)));
  }
  return out as AnyJson;
}

const unusable = (mask: string): FilteredDump => ({ status: 400, message: `FieldMask ${mask} could not be successfully used.` });

/** The elements of one repeated field as a dump of their own. */
function resourceDump(sections: readonly AnyJson[], resource: string, query: DumpQuery): FilteredDump {
  const mask = query.mask ? parseFieldMask(query.mask) : undefined;
  if (query.mask && mask === undefined) return unusable(query.mask);
  const field = camelName(resource);
  for (const section of sections) {
    const lists = listsOf(section);
    if (lists && Object.hasOwn(lists, field)) {
      const elements = ((section as JsonObject)[field] ?? []) as JsonObject[];
      if (mask && elements.length > 0 && ![...mask.keys()].every((f) => elementFields.has(f))) return unusable(query.mask!);
      const type = `type.googleapis.com/envoy.admin.v3.${messageOf(section)}.${lists[field]}`;
      return {
        dump: { configs: elements.map((e) => ({ '@type': type, ...(mask ? (applyFieldMask(e, mask) as JsonObject) : e) }) as AnyJson) },
      };
    }
    if (Object.hasOwn(section, field) && field !== '@type')
      return { status: 400, message: `${resource} is not a repeated field. Use ?mask=${resource} to get only this field` };
  }
  return { status: 404, message: `${resource} not found in config dump` };
}

/** Applies the query of `/config_dump` to a whole dump (camelCase). Never throws: what Envoy refuses comes back as its status and text. */
export function filterDump(dump: ConfigDumpJson, query: DumpQuery): FilteredDump {
  let sections: readonly AnyJson[] = dump.configs ?? [];
  const endpoints = `type.googleapis.com/${sectionType('endpoints')}`;
  if (!query.includeEds) sections = sections.filter((s) => s['@type'] !== endpoints);
  if (query.nameRegex) {
    let pattern: RE2JS;
    try {
      pattern = re2().RE2JS.compile(query.nameRegex);
    } catch (error) {
      if (!(error instanceof re2().RE2JSException)) throw error;
      return { status: 400, message: `Error while parsing name_regex from ${query.nameRegex}: ${error.message}` };
    }
    sections = sections.map((s) => byName(s, (name) => pattern.matches(name)));
  }
  if (query.resource) return resourceDump(sections, query.resource, query);
  if (!query.mask) return { dump: { configs: [...sections] } };
  const mask = parseFieldMask(query.mask);
  const masked = mask ? sections.filter((s) => maskApplies(s, mask)).map((s) => applyFieldMask(s, mask) as AnyJson) : [];
  if (masked.length === 0) return { status: 400, message: `FieldMask ${query.mask} could not be successfully applied to any configs.` };
  return { dump: { configs: masked } };
}
