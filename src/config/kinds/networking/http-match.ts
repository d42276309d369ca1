import type { Static } from 'typebox';
import { as, boolean, map, message, port, string, stringMap, strings } from '../schema.ts';
import { StringMatch } from './string-match.ts';

/** Conditions on where a rule is applied, not on the request; shared by HTTP, TLS and TCP matches. */
export const sourceConditions = {
  sourceLabels: stringMap('The rule is only for clients that carry these labels. Ignored when `gateways` is set.'),
  gateways: strings('Gateways that the rule is for, `mesh` for sidecars. Replaces the `gateways` of the VirtualService for this match.'),
  sourceNamespace: string('The rule is only for clients of this namespace. Ignored when `gateways` is set.'),
};

export const HTTPMatchRequest = message('Conditions on an HTTP request; all of them must hold.', {
  name: string("A name for the match, added to the route's name in logs and statistics."),
  uri: as(StringMatch, 'The path, without the query.'),
  scheme: as(StringMatch, 'The scheme: `http` or `https`.'),
  method: as(StringMatch, 'The method, such as `GET`.'),
  authority: as(StringMatch, 'The Host header, port included.'),
  headers: map(
    StringMatch,
    'Headers by lower-case name. An empty condition asks only that the header is there. On gateways `@request.auth.claims.<claim>` matches a claim of the JWT.',
  ),
  port: port('The rule is only for this port of the called service.'),
  sourceLabels: sourceConditions.sourceLabels,
  gateways: sourceConditions.gateways,
  queryParams: map(StringMatch, 'Query parameters by name, compared undecoded. An empty condition asks only that the parameter is there.'),
  ignoreUriCase: boolean('Compares `uri` without regard to case; exact and prefix only. Default: false.'),
  withoutHeaders: map(StringMatch, 'Headers that must not match, by lower-case name. An empty condition asks that the header is absent.'),
  sourceNamespace: sourceConditions.sourceNamespace,
  statPrefix: string('Requests of this route are counted under this name as well.'),
});

export type HTTPMatchRequest = Static<typeof HTTPMatchRequest>;
