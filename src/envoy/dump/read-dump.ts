import type { ClustersJson } from '#envoy-api/envoy/admin/v3/clusters_pb.js';
import { FairleadError } from '../../errors.ts';
import { wrongField } from './check-sections.ts';
import { repeatedFields, type SectionName, type Sections, sectionMessages, sectionOf, sectionType } from './sections.ts';

type JsonObject = Record<string, unknown>;

/** What was read from a dump, camelCase. Sections that the file does not have are absent: `section()` asks for one. */
export interface Dump {
  /** As the user named it, for messages. */
  readonly source: string;
  readonly sections: Readonly<Partial<Sections>>;
  /** Envoy's `/clusters?format=json`, when the file is one. */
  readonly clusterStatuses?: ClustersJson;
}

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Keys that only Envoy's own form has. Either of them stands in every dump that is not empty. */
const snakeKey = /"(?:last_updated|version_info|active_state|dynamic_\w+|static_\w+|cluster_statuses|ecds_filters)"\s*:/;

function invalid(source: string, what: string, next: string): FairleadError {
  return new FairleadError('E_DUMP_INVALID', `${source} ${what}`, { next });
}

const howToSave = 'Save one with `curl HOST:15000/config_dump?include_eds`, or `fairlead proxy-config all -o json`.';

/** What JSON that is no dump looks like, for people. */
function seemsToBe(json: unknown): string {
  if (Array.isArray(json)) return 'seems to be a plain list';
  if (!isObject(json)) return `is ${json === null ? 'null' : `a ${typeof json}`}, not an object`;
  if (typeof json['kind'] === 'string' && typeof json['apiVersion'] === 'string')
    return `seems to be configuration (${json['kind']}), which is read with -f`;
  if ('listener_statuses' in json || 'listenerStatuses' in json) return 'seems to be the output of /listeners';
  if ('stats' in json) return 'seems to be the output of /stats';
  if ('certificates' in json) return 'seems to be the output of /certs';
  return `has none of a dump's fields (it has ${Object.keys(json).slice(0, 4).join(', ') || 'no fields'})`;
}

/** The section whose fields these are, for a section without its `@type`. */
function guessSection(json: JsonObject): SectionName | undefined {
  if (isObject(json['bootstrap'])) return 'bootstrap';
  return (Object.keys(repeatedFields) as Exclude<SectionName, 'bootstrap'>[]).find((name) =>
    Object.keys(repeatedFields[name]).some((field) => field in json || field.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`) in json),
  );
}

/** Messages as the file has them: of a whole dump, of a part (`?resource=`), of one section with or without its type. */
function messagesOf(json: unknown): JsonObject[] | undefined {
  if (!isObject(json)) return undefined;
  if (Array.isArray(json['configs'])) return json['configs'].filter(isObject);
  if (typeof json['@type'] === 'string') return [json];
  const guessed = guessSection(json);
  return guessed && [{ '@type': `type.googleapis.com/${sectionType(guessed)}`, ...json }];
}

/** Puts one message into its section: the whole of it, or (of `?resource=`) one element. Other messages are let pass. */
function place(sections: JsonObject, message: JsonObject): void {
  const [section, element] = String(message['@type'])
    .replace(/^.*envoy\.admin\.v3\./, '')
    .split('.') as [string, string?];
  const name = sectionOf(section);
  if (name === undefined) return;
  if (element === undefined) {
    const { '@type': _, ...fields } = message;
    sections[name] = { ...(sections[name] as JsonObject | undefined), ...fields };
    return;
  }
  if (name === 'bootstrap') return;
  const field = Object.keys(repeatedFields[name]).find((f) => repeatedFields[name][f] === element);
  if (field === undefined) return;
  const own = (sections[name] ?? {}) as JsonObject;
  const before = Array.isArray(own[field]) ? own[field] : [];
  sections[name] = { ...own, [field]: [...before, message] };
}

/**
 * Reads a dump of Envoy's or Istio's: the whole `/config_dump`, its parts, one section, or `/clusters?format=json`; in either case style,
 * with unknown types inside. Throws E_DUMP_INVALID, saying what the text seems to be.
 *
 * @param source the file's name as the user gave it
 */
export async function readDump(text: string, source = 'the dump'): Promise<Dump> {
  if (text.trim() === '') throw invalid(source, 'is empty', howToSave);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    if (/^\s*(?:apiVersion|kind|metadata|---)/m.test(text))
      throw invalid(source, 'seems to be YAML configuration, not a dump', 'Read configuration with -f.');
    throw invalid(source, `is not JSON: ${(error as Error).message}`, howToSave);
  }
  const snake = snakeKey.test(text);
  const toCamel = async (type: string, value: JsonObject): Promise<unknown> => {
    if (!snake) return value;
    const { loadWire } = await import('../wire.ts');
    return (await loadWire()).toCamel(type, value);
  };
  if (isObject(json) && ('cluster_statuses' in json || 'clusterStatuses' in json)) {
    return { source, sections: {}, clusterStatuses: (await toCamel('envoy.admin.v3.Clusters', json)) as ClustersJson };
  }
  const messages = messagesOf(json);
  if (messages === undefined) throw invalid(source, `is not an Envoy config dump: it ${seemsToBe(json)}`, howToSave);
  const sections: JsonObject = {};
  for (const message of messages) place(sections, (await toCamel('google.protobuf.Any', message)) as JsonObject);
  if (Object.keys(sections).length === 0) throw invalid(source, 'is a config dump without any section that Fairlead knows', howToSave);
  for (const name of Object.keys(sections) as SectionName[]) {
    const found = wrongField(name, sections[name]);
    if (found !== undefined)
      throw invalid(source, `is not a config dump as Envoy writes it: in ${sectionMessages[name]}, ${found}`, howToSave);
  }
  return { source, sections: sections as Partial<Sections> };
}

/** One section of a dump. Throws E_DUMP_INVALID, naming the type that is missing. */
export function section<N extends SectionName>(dump: Dump, name: N): Sections[N] {
  const found = dump.sections[name];
  if (found !== undefined) return found as Sections[N];
  const has = (Object.keys(dump.sections) as SectionName[]).map((s) => sectionMessages[s]);
  const eds = name === 'endpoints' ? ' Endpoints are in it only when the dump was made with ?include_eds.' : '';
  throw new FairleadError(
    'E_DUMP_INVALID',
    `${dump.source} has no section ${sectionMessages[name]} (type.googleapis.com/${sectionType(name)})`,
    {
      next: `It has ${has.join(', ') || 'the output of /clusters only'}.${eds}`,
    },
  );
}
