import type { MetadataMatcherJson } from '#envoy-api/envoy/type/matcher/v3/metadata_pb.js';
import { compileMetadataTest } from '../routing/metadata-matcher.ts';
import type { ProblemList } from '../routing/problems.ts';
import { type InputTest, never } from './input-test.ts';

/** envoy.config.rbac.v3.SourcedMetadata, which the bundled API does not have yet. */
export interface SourcedMetadataJson {
  metadataMatcher?: MetadataMatcherJson;
  metadataSource?: 'DYNAMIC' | 'ROUTE' | 0 | 1;
}

/** A rule about dynamic metadata. */
export function compileMetadataRule(json: MetadataMatcherJson, path: string, problems: ProblemList): InputTest {
  const { test } = compileMetadataTest(json, path, problems);
  return ({ metadata }) => test(metadata);
}

/** A rule about dynamic metadata or the route's. Envoy: without a route no rule about its metadata holds. */
export function compileSourcedMetadata(json: SourcedMetadataJson, path: string, problems: ProblemList): InputTest {
  if (json.metadataMatcher === undefined) {
    problems.invalid(`${path}.metadataMatcher`, 'is required');
    return never;
  }
  const { test } = compileMetadataTest(json.metadataMatcher, `${path}.metadataMatcher`, problems);
  if (json.metadataSource === 'ROUTE' || json.metadataSource === 1)
    return ({ routeMetadata }) => routeMetadata !== undefined && test(routeMetadata);
  return ({ metadata }) => test(metadata);
}
