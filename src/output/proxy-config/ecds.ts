import type { EcdsConfigDumpJson } from '#envoy-api/envoy/admin/v3/config_dump_shared_pb.js';
import type { TypedExtensionConfigJson } from '#envoy-api/envoy/config/core/v3/extension_pb.js';
import type { Table } from '../table.ts';

/** The extension configs of a dump, unpacked. */
export function extensionsOf(dump: EcdsConfigDumpJson): TypedExtensionConfigJson[] {
  return (dump.ecdsFilters ?? []).map((f) => {
    const { '@type': _, ...config } = (f.ecdsFilter ?? {}) as Record<string, unknown>;
    return config as TypedExtensionConfigJson;
  });
}

/** `proxy-config ecds`: filters whose config comes by itself. */
export function ecdsTable(dump: EcdsConfigDumpJson): Table {
  return {
    columns: ['ECDS NAME', 'TYPE'],
    rows: extensionsOf(dump).map((e) => [
      e.name ?? '',
      String((e.typedConfig as Record<string, unknown> | undefined)?.['@type'] ?? '').replace(/^.*\//, ''),
    ]),
  };
}
