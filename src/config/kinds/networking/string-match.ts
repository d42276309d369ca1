import type { Static } from 'typebox';
import { message, string } from '../schema.ts';

export const StringMatch = message(
  'How a text is compared: by one of `exact`, `prefix` or `regex`. Upper and lower case differ.',
  {
    exact: string('The whole text.'),
    prefix: string('What the text begins with.'),
    regex: string('An RE2 expression for the whole text.'),
  },
  { oneOf: [['exact', 'prefix', 'regex']] },
);

export type StringMatch = Static<typeof StringMatch>;
