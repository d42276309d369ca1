import type { AnyJson } from '@bufbuild/protobuf/wkt';
import { RE2JS, RE2JSException } from 're2js';
import type { ConfigDumpJson } from '#envoy-api/envoy/admin/v3/config_dump_pb.js';
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

/** The elements of one repeated field as a dump of their own. */
function resourceDump(sections: readonly AnyJson[], resource: string, mask: FieldMask | undefined): FilteredDump {
  const field = camelName(resource);
  for (const section of sections) {
    const lists = listsOf(section);
    if (lists && Object.hasOwn(lists, field)) {
      const elements = ((section as JsonObject)[field] ?? []) as JsonObject[];
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
      pattern = RE2JS.compile(query.nameRegex);
    } catch (error) {
      if (!(error instanceof RE2JSException)) throw error;
      return { status: 400, message: `Error while parsing name_regex from ${query.nameRegex}: ${error.message}` };
    }
    sections = sections.map((s) => byName(s, (name) => pattern.matches(name)));
  }
  const mask = query.mask ? parseFieldMask(query.mask) : undefined;
  if (query.mask && mask === undefined) return { status: 400, message: `FieldMask ${query.mask} could not be successfully used.` };
  if (query.resource) return resourceDump(sections, query.resource, mask);
  // Envoy: a mask that says nothing of a section leaves it empty, with its type.
  return { dump: { configs: mask ? sections.map((s) => applyFieldMask(s, mask) as AnyJson) : [...sections] } };
}
