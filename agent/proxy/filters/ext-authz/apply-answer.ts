import { appendToHeader, hasHeader, removeHeader } from '../../../../src/routing/header-mutation.ts';
import { JOINED_REQUEST_HEADERS } from '../../../../src/routing/joined-headers.ts';
import type { RouteRequest } from '../../../../src/routing/request.ts';
import type { AuthzAnswer, HeaderChange } from './answer.ts';

/** Changes a flat list as a service asks. */
export function changeHeaders(headers: string[], changes: readonly HeaderChange[], joined: ReadonlySet<string>): void {
  for (const { name, value, action } of changes) {
    if (action === 'overwrite') removeHeader(headers, name);
    else if (action === 'add-if-absent' && hasHeader(headers, name)) continue;
    else if (action === 'overwrite-if-exists' && !removeHeader(headers, name)) continue;
    else if (action === 'append') {
      // Envoy: what is not there is not appended to.
      appendToHeader(headers, name, value);
      continue;
    } else if (action === 'add' && joined.has(name) && appendToHeader(headers, name, value)) continue;
    headers.push(name, value);
  }
}

/** Changes a request as the service that let it pass asks. True: something was changed. */
export function applyToRequest(answer: Extract<AuthzAnswer, { allowed: true }>, request: RouteRequest): boolean {
  const { headers } = request;
  for (const change of answer.request) {
    if (change.name === ':path') request.path = change.value;
    else if (change.name === ':authority' || change.name === 'host') request.authority = change.value;
    else if (change.name === ':method') request.method = change.value;
  }
  changeHeaders(
    headers,
    answer.request.filter(({ name }) => !name.startsWith(':') && name !== 'host'),
    JOINED_REQUEST_HEADERS,
  );
  // Envoy: nothing that a request cannot do without.
  for (const name of answer.removeFromRequest) if (!name.startsWith(':') && name !== 'host') removeHeader(headers, name);
  if (answer.setQuery.length > 0 || answer.removeQuery.length > 0) changeQuery(request, answer);
  request.headersChanged();
  return answer.request.length + answer.removeFromRequest.length + answer.setQuery.length + answer.removeQuery.length > 0;
}

function changeQuery(request: RouteRequest, { setQuery, removeQuery }: Extract<AuthzAnswer, { allowed: true }>): void {
  const [, path = '', query = '', fragment = ''] = /^([^?#]*)\??([^#]*)(.*)$/s.exec(request.path)!;
  const set = new Map(setQuery);
  const pairs = query.split('&').filter((pair) => {
    const name = pair.split('=', 1)[0]!;
    return pair !== '' && !set.has(name) && !removeQuery.includes(name);
  });
  for (const [name, value] of set) if (!removeQuery.includes(name)) pairs.push(`${name}=${value}`);
  request.path = path + (pairs.length > 0 ? `?${pairs.join('&')}` : '') + fragment;
}
