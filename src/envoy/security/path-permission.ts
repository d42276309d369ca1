import type { PermissionJson } from '#envoy-api/envoy/config/rbac/v3/rbac_pb.js';
import type { UriTemplateMatchConfigJson } from '#envoy-api/envoy/extensions/path/match/uri_template/v3/uri_template_match_pb.js';
import { pathTemplateProblem } from '../../config/semantics/path-template.ts';
import { typed } from '../any.ts';
import { stringMatcher } from './value-matchers.ts';

/**
 * A path of an operation, without its query. `{*}` and `{**}` make it a template (Envoy: uri_template); undefined when Envoy would
 * refuse that: it begins with a slash and has no empty segments.
 */
export function pathPermission(value: string): PermissionJson | undefined {
  if (!value.includes('{*}') && !value.includes('{**}')) return { urlPath: { path: stringMatcher(value) } };
  if (!/^(?:\/[^/]+)+\/?$/.test(value) || pathTemplateProblem(value) !== undefined) return undefined;
  const pathTemplate = value.replaceAll('{**}', '**').replaceAll('{*}', '*');
  return {
    uriTemplate: {
      name: 'uri-template',
      typedConfig: typed<UriTemplateMatchConfigJson>('envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig', {
        pathTemplate,
      }),
    },
  };
}
