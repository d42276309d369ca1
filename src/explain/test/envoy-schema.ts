import { boolean, integer, list, message, open, string, struct } from '../../config/kinds/schema.ts';

/** Tests of router_check_tool as they are written, checked against `envoyFileSchema`. */
export interface WrittenEnvoyFile {
  readonly runtime?: Readonly<Record<string, unknown>>;
  readonly tests: readonly WrittenEnvoyTest[];
}

interface KeyValue {
  readonly key: string;
  readonly value?: string;
}

export interface WrittenEnvoyTest {
  readonly test_name: string;
  readonly input: {
    readonly authority: string;
    readonly path: string;
    readonly method: string;
    readonly ssl?: boolean;
    readonly internal?: boolean;
    readonly random_value?: number;
    readonly runtime?: string;
    readonly additional_request_headers?: readonly KeyValue[];
    readonly additional_response_headers?: readonly KeyValue[];
    readonly dynamic_metadata?: readonly unknown[];
  };
  readonly validate: {
    readonly cluster_name?: string;
    readonly virtual_cluster_name?: string;
    readonly virtual_host_name?: string;
    readonly host_rewrite?: string;
    readonly path_rewrite?: string;
    readonly path_redirect?: string;
    readonly code_redirect?: number;
    readonly request_header_fields?: readonly KeyValue[];
    readonly response_header_fields?: readonly KeyValue[];
    readonly request_header_matches?: readonly Readonly<Record<string, unknown>>[];
    readonly response_header_matches?: readonly Readonly<Record<string, unknown>>[];
  };
}

const pairs = list(
  message('A header.', { key: string('Its name.', { minLength: 1 }), value: string('Its value.') }, { required: ['key'] }),
  'Headers.',
);
const matchers = list(
  open('A HeaderMatcher.', { name: string('The header.', { minLength: 1 }) }, { required: ['name'] }),
  'HeaderMatchers.',
);

/** The fields of Envoy's test/tools/router_check/validation.proto, and those that its documentation adds. */
export const envoyFileSchema = message(
  'Tests of router_check_tool.',
  {
    runtime: struct('Runtime values.'),
    tests: list(
      message(
        'A test.',
        {
          test_name: string('Its name.', { minLength: 1 }),
          input: message(
            'The request.',
            {
              authority: string('Host and port.', { minLength: 1 }),
              path: string('Path and query.', { minLength: 1 }),
              method: string('The method.', { pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$" }),
              ssl: boolean('The request came by https.'),
              internal: boolean('x-envoy-internal.'),
              random_value: integer('What decides among weights.', { minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
              runtime: string('A runtime key that is on.'),
              additional_request_headers: pairs,
              additional_response_headers: pairs,
              dynamic_metadata: list(struct('One namespace of it.'), 'Metadata.'),
            },
            { required: ['authority', 'path', 'method'] },
          ),
          validate: message('What is expected.', {
            cluster_name: string('The cluster.'),
            virtual_cluster_name: string('The virtual cluster.'),
            virtual_host_name: string('The virtual host.'),
            host_rewrite: string('The host that the upstream gets.'),
            path_rewrite: string('The path that the upstream gets.'),
            path_redirect: string('Where the redirect leads.'),
            code_redirect: integer('The status of the redirect.'),
            request_header_fields: pairs,
            response_header_fields: pairs,
            request_header_matches: matchers,
            response_header_matches: matchers,
          }),
        },
        { required: ['test_name', 'input', 'validate'] },
      ),
      'The tests.',
      { minItems: 1 },
    ),
  },
  { required: ['tests'] },
);
