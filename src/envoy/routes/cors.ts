import type { AnyJson } from '@bufbuild/protobuf/wkt';
import type { CorsPolicyJson } from '#envoy-api/envoy/extensions/filters/http/cors/v3/cors_pb.js';
import type { StringMatcherJson } from '#envoy-api/envoy/type/matcher/v3/string_pb.js';
import { parseDuration } from '../../config/duration.ts';
import type { CorsPolicy } from '../../config/kinds/networking.ts';
import { typed } from '../any.ts';
import { hundredths } from './percent.ts';

/** Key of the filter in `typed_per_filter_config`. */
export const CORS_FILTER = 'envoy.filters.http.cors';

function origins(policy: CorsPolicy): StringMatcherJson[] {
  const out: StringMatcherJson[] = [];
  for (const origin of policy.allowOrigins ?? []) {
    if (origin.exact !== undefined) out.push({ exact: origin.exact });
    else if (origin.prefix !== undefined) out.push({ prefix: origin.prefix });
    else if (origin.regex !== undefined) out.push({ safeRegex: { regex: origin.regex } });
  }
  if (policy.allowOrigins === undefined) for (const origin of policy.allowOrigin ?? []) out.push({ exact: origin });
  return out;
}

/** The route's CORS filter config. */
export function corsConfig(policy: CorsPolicy): AnyJson {
  const { allowMethods, allowHeaders, exposeHeaders, maxAge, allowCredentials, unmatchedPreflights } = policy;
  const seconds = maxAge === undefined ? undefined : parseDuration(maxAge);
  const matchers = origins(policy);
  return typed<CorsPolicyJson>('envoy.extensions.filters.http.cors.v3.CorsPolicy', {
    ...(matchers.length > 0 && { allowOriginStringMatch: matchers }),
    ...(allowMethods?.length && { allowMethods: allowMethods.join(',') }),
    ...(allowHeaders?.length && { allowHeaders: allowHeaders.join(',') }),
    ...(exposeHeaders?.length && { exposeHeaders: exposeHeaders.join(',') }),
    ...(seconds !== undefined && { maxAge: String(Math.floor(seconds / 1000)) }),
    ...(allowCredentials !== undefined && { allowCredentials }),
    filterEnabled: { defaultValue: hundredths(100) },
    forwardNotMatchingPreflights: unmatchedPreflights !== 'IGNORE',
  });
}
