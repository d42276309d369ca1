/** What tables and explanations take for granted of a dump's sections. */
import { describeValue } from '../../config/validation/describe-value.ts';
import { repeatedFields, type SectionName } from './sections.ts';

type JsonObject = Record<string, unknown>;

/** The parts of a section's elements that are messages: below `dynamicRouteConfigs[0]`, `routeConfig`. */
const PARTS: Readonly<Record<Exclude<SectionName, 'bootstrap'>, readonly string[]>> = {
  clusters: ['cluster'],
  ecds: ['ecdsFilter'],
  endpoints: ['endpointConfig'],
  listeners: ['listener', 'activeState', 'warmingState', 'drainingState'],
  routes: ['routeConfig'],
  secrets: ['secret'],
};
/** Of Envoy's Bootstrap message: fields that are messages, and lists of messages in them. */
const BOOTSTRAP: Readonly<Record<string, readonly string[]>> = {
  node: ['extensions'],
  staticResources: ['listeners', 'clusters', 'secrets'],
  dynamicResources: [],
  clusterManager: [],
  admin: ['accessLog'],
  layeredRuntime: ['layers'],
  statsConfig: ['statsTags'],
  overloadManager: ['resourceMonitors', 'actions'],
};

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The first field of a section (camelCase) that is not of the type that the section's message gives it, as a sentence's end; undefined when all is well. */
export function wrongField(name: SectionName, section: unknown): string | undefined {
  if (!isObject(section)) return wrong(name, section, 'an object');
  if (name === 'bootstrap') return wrongBootstrap(section['bootstrap']);
  for (const field of Object.keys(repeatedFields[name])) {
    const found = wrongList(field, section[field]);
    if (found !== undefined) return found;
    for (const [i, element] of ((section[field] ?? []) as JsonObject[]).entries()) {
      for (const part of PARTS[name]) {
        if (!isMissing(element[part]) && !isObject(element[part])) return wrong(`${field}[${i}].${part}`, element[part], 'an object');
      }
    }
  }
  return undefined;
}

function wrongBootstrap(bootstrap: unknown): string | undefined {
  if (isMissing(bootstrap)) return undefined;
  if (!isObject(bootstrap)) return wrong('bootstrap', bootstrap, 'an object');
  for (const [field, lists] of Object.entries(BOOTSTRAP)) {
    const value = bootstrap[field];
    if (isMissing(value)) continue;
    if (!isObject(value)) return wrong(`bootstrap.${field}`, value, 'an object');
    for (const list of lists) {
      const found = wrongList(`bootstrap.${field}.${list}`, value[list]);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function wrongList(path: string, value: unknown): string | undefined {
  if (isMissing(value)) return undefined;
  if (!Array.isArray(value)) return wrong(path, value, 'a list');
  const at = value.findIndex((element) => !isObject(element));
  return at === -1 ? undefined : wrong(`${path}[${at}]`, value[at], 'an object');
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null;
}

function wrong(path: string, value: unknown, wanted: string): string {
  return `\`${path}\` must be ${wanted}, not ${describeValue(value)}`;
}
