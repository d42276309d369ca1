import { getOrMake } from '../../mesh/memo.ts';
import type { Arguments } from '../finding.ts';
import { annotations } from './annotations.ts';
import { controlPlane } from './control-plane.ts';
import { destinationRules } from './destination-rules.ts';
import { envoyFilters } from './envoy-filters.ts';
import { flDestinations } from './fl-destinations.ts';
import { flEngines } from './fl-engines.ts';
import { flEnvoyFilters } from './fl-envoy-filters.ts';
import { flGatewayApi } from './fl-gateway-api.ts';
import { flGateways } from './fl-gateways.ts';
import { flPolicies } from './fl-policies.ts';
import { flRoutes } from './fl-routes.ts';
import { flYaml } from './fl-yaml.ts';
import { gateways } from './gateways.ts';
import { injection } from './injection.ts';
import { input } from './input.ts';
import type { Message } from './message.ts';
import { policies } from './policies.ts';
import { prechecks } from './precheck.ts';
import { references } from './references.ts';
import { schema } from './schema.ts';
import { selectors } from './selectors.ts';
import { serviceEntries } from './service-entries.ts';
import { virtualServices } from './virtual-services.ts';
import { workloads } from './workloads.ts';

/** Every message, by code: Istio's first, then Fairlead's own. */
export const CATALOGUE: readonly Message[] = [
  ...[references, virtualServices, destinationRules, gateways, serviceEntries, injection, workloads, annotations],
  ...[policies, selectors, envoyFilters, controlPlane, schema, prechecks, input],
  ...[flRoutes, flDestinations, flPolicies, flGateways, flEnvoyFilters, flYaml, flEngines, flGatewayApi],
]
  .flat()
  .sort((a, b) => rank(a.code) - rank(b.code) || (a.code < b.code ? -1 : 1));

function rank(code: string): number {
  return code.startsWith('IST') ? 0 : 1;
}

const byCode = new Map(CATALOGUE.map((message) => [message.code, message]));

/** The message of a code, in any case; undefined when there is none. */
export function messageByCode(code: string): Message | undefined {
  return byCode.get(code.toUpperCase());
}

/**
 * A template with its arguments. `{name}` is the argument; `{name:text}` is `text` and the argument unless that is empty; `{name::text}` is
 * `text` alone unless the argument is empty. Lists are joined by `, `.
 */
export function renderMessage(template: string, args: Arguments): string {
  const { start, holes } = getOrMake(templates, template, partsOf);
  let rendered = start;
  for (const { name, mark, text, after } of holes) {
    const value = Object.hasOwn(args, name) ? args[name]! : '';
    const written = Array.isArray(value) ? value.join(', ') : String(value);
    if (mark === '') rendered += written;
    else if (written !== '') rendered += mark === '::' ? text : `${text}${written}`;
    rendered += after;
  }
  return rendered;
}

/** A template, read once. */
interface TemplateParts {
  readonly start: string;
  /** `after`: the text up to the next hole. */
  readonly holes: readonly { readonly name: string; readonly mark: string; readonly text: string; readonly after: string }[];
}

const templates = new Map<string, TemplateParts>();

function partsOf(template: string): TemplateParts {
  const [start = '', ...rest] = template.split(/\{(\w+)(?:(::?)([^}]*))?\}/);
  const holes = [];
  for (let i = 0; i < rest.length; i += 4) {
    const [name = '', mark = '', text = '', after = ''] = rest.slice(i, i + 4);
    holes.push({ name, mark, text, after });
  }
  return { start, holes };
}

/** Where a message is explained: Istio's own page for its codes, a file of this project for ours. */
export function documentationUrl(code: string): string {
  return code.startsWith('IST')
    ? `https://istio.io/latest/docs/reference/config/analysis/${code.toLowerCase()}/`
    : `docs/analysis/${code}.md`;
}
