import type { Message } from './message.ts';

const lua = 'envoy.filters.http.lua';

const patch = (applyTo: string, operation: string, more = ''): string => `    - applyTo: ${applyTo}
      match:
        context: SIDECAR_INBOUND
${more}      patch:
        operation: ${operation}
${operation === 'REMOVE' ? '' : `        value: {name: ${applyTo === 'HTTP_FILTER' ? lua : 'x'}}\n`}`;

const filter = (patches: string, priority = ''): string => `apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata:
  name: lua
spec:
${priority}  configPatches:
${patches}`;

const version = `        proxy: {proxyVersion: '^1\\.28.*'}\n`;

const message = (
  code: string,
  name: string,
  level: 'Warning' | 'Error',
  rest: Omit<Message, 'code' | 'name' | 'level' | 'args'>,
): Message => ({
  code,
  name,
  level,
  args: [],
  ...rest,
});

/** Patches of generated configuration. */
export const envoyFilters: readonly Message[] = [
  message('IST0151', 'EnvoyFilterUsesRelativeOperation', 'Warning', {
    template: 'the operation depends on what other EnvoyFilters have done before, and the EnvoyFilter has no `priority`',
    summary: 'A patch inserts beside, replaces or removes something, and the order of EnvoyFilters is not fixed.',
    effect: 'When the other EnvoyFilter comes later, the patch finds nothing and does nothing.',
    hint: 'Set `priority`, or use INSERT_FIRST or MERGE',
    wrong: filter(patch('HTTP_FILTER', 'INSERT_BEFORE')),
    right: filter(patch('HTTP_FILTER', 'INSERT_BEFORE'), '  priority: 10\n'),
  }),
  message('IST0152', 'EnvoyFilterUsesReplaceOperationIncorrectly', 'Error', {
    template: 'REPLACE is possible for NETWORK_FILTER, HTTP_FILTER and VIRTUAL_HOST only',
    summary: 'A patch replaces something that cannot be replaced.',
    effect: 'The patch does nothing.',
    hint: 'Use MERGE, or REMOVE and ADD',
    wrong: filter(patch('CLUSTER', 'REPLACE')),
    right: filter(patch('CLUSTER', 'MERGE')),
  }),
  message('IST0153', 'EnvoyFilterUsesAddOperationIncorrectly', 'Error', {
    template: 'ADD is not possible for ROUTE_CONFIGURATION and HTTP_ROUTE',
    summary: 'A patch adds a route configuration or route, which cannot be added.',
    effect: 'The patch does nothing.',
    hint: 'Use INSERT_BEFORE, INSERT_AFTER or INSERT_FIRST for routes, MERGE for route configurations',
    wrong: filter(patch('HTTP_ROUTE', 'ADD')),
    right: filter(patch('HTTP_ROUTE', 'INSERT_FIRST')),
  }),
  message('IST0154', 'EnvoyFilterUsesRemoveOperationIncorrectly', 'Error', {
    template: 'REMOVE is not possible for ROUTE_CONFIGURATION and HTTP_ROUTE',
    summary: 'A patch removes a route configuration or route, which cannot be removed.',
    effect: 'The patch does nothing.',
    hint: 'Use MERGE',
    wrong: filter(patch('HTTP_ROUTE', 'REMOVE')),
    right: filter(patch('HTTP_ROUTE', 'MERGE')),
  }),
  message('IST0155', 'EnvoyFilterUsesRelativeOperationWithProxyVersion', 'Warning', {
    template:
      'the operation depends on a filter that an earlier patch changes for some proxy versions only, and the EnvoyFilter has no `priority`',
    summary: 'A patch depends on one that is for some versions of the proxy only.',
    effect: 'On proxies of other versions the patch may find nothing and do nothing.',
    hint: 'Set `priority`',
    wrong: filter(patch('HTTP_FILTER', 'INSERT_FIRST', version) + patch('HTTP_FILTER', 'INSERT_AFTER')),
    right: filter(patch('HTTP_FILTER', 'INSERT_FIRST', version) + patch('HTTP_FILTER', 'INSERT_AFTER'), '  priority: 10\n'),
  }),
];
