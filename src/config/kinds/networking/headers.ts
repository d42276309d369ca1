import type { Static } from 'typebox';
import { as, message, stringMap, strings } from '../schema.ts';

export const HeaderOperations = message('Changes to the headers of a message.', {
  set: stringMap(
    'Headers that replace what is there, by name. Values may hold Envoy variables such as `%REQ(x-user)%`; `%%` is a percent sign.',
  ),
  add: stringMap('Headers that are added to what is there, by name. Values as in `set`.'),
  remove: strings('Names of headers to drop.'),
});

export const Headers = message('Changes to the headers of requests and responses.', {
  request: as(HeaderOperations, 'Changes to a request before it is sent on.'),
  response: as(HeaderOperations, 'Changes to a response before it goes back to the client.'),
});

export type HeaderOperations = Static<typeof HeaderOperations>;
export type Headers = Static<typeof Headers>;
