import type { HTTPMatchRequest, StringMatch } from '../../config/kinds/networking.ts';

const inWords = (match: StringMatch): string => {
  if (match.exact !== undefined) return match.exact;
  if (match.prefix !== undefined) return `${match.prefix}*`;
  return match.regex === undefined ? '(any)' : `~${match.regex}`;
};

/** One match in short: `GET /api* header end-user=jason`. */
export function describeMatch(match: HTTPMatchRequest): string {
  const { method, uri, scheme, authority, headers, withoutHeaders, queryParams, port, gateways, sourceLabels, sourceNamespace } = match;
  const map = (word: string, conditions: Readonly<Record<string, StringMatch>> | undefined): string[] =>
    Object.entries(conditions ?? {}).map(([name, value]) =>
      Object.keys(value).length === 0 ? `${word} ${name}` : `${word} ${name}=${inWords(value)}`,
    );
  const parts = [
    ...(method ? [inWords(method)] : []),
    ...(uri ? [`${inWords(uri)}${match.ignoreUriCase ? ' (any case)' : ''}`] : []),
    ...(scheme ? [`scheme ${inWords(scheme)}`] : []),
    ...(authority ? [`host ${inWords(authority)}`] : []),
    ...map('header', headers),
    ...map('no header', withoutHeaders),
    ...map('query', queryParams),
    ...(port ? [`port ${port}`] : []),
    ...(sourceLabels ? [`from ${Object.entries(sourceLabels).map(([k, v]) => `${k}=${v}`)}`] : []),
    ...(sourceNamespace ? [`from namespace ${sourceNamespace}`] : []),
    ...(gateways ? [`at ${gateways.join(', ')}`] : []),
  ];
  return parts.length === 0 ? 'any request' : parts.join(' ');
}

/** All matches of a route: any of them will do. */
export const describeMatches = (matches: readonly HTTPMatchRequest[] | undefined): string[] =>
  matches === undefined || matches.length === 0 ? ['any request'] : matches.map(describeMatch);
