import type { AnyJson } from '@bufbuild/protobuf/wkt';
import type { Problem } from '../../../src/errors.ts';
import type { ConnectionFilter } from '../tcp/admission.ts';
import type { ClusterManager, StatsRegistry } from '../types.ts';

export interface ConnectionFilterContext {
  readonly clusters: ClusterManager;
  readonly stats: StatsRegistry;
  /** Where the filter stands, for problems. */
  readonly path: string;
}

/** Makes a network filter of its configuration; without `filter` the configuration was refused. */
export type ConnectionFilterFactory = (
  config: AnyJson,
  context: ConnectionFilterContext,
) => { filter: ConnectionFilter | undefined; problems: readonly Problem[] };
