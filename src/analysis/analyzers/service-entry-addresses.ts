import type { ServiceEntry } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import type { Analyzer } from '../analyzer.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';

/** TCP ports of ServiceEntries without an address to know them by. */
export const serviceEntryAddresses: Analyzer = {
  name: 'service-entry-addresses',
  codes: ['IST0134'],
  run(model, report) {
    if (allocatesAddresses(model)) return;
    for (const resource of model.of<ServiceEntry>('ServiceEntry')) {
      if (hasAddresses(resource)) continue;
      for (const [i, { protocol }] of (resource.spec.ports ?? []).entries()) {
        if ((protocol ?? '') === '' || protocol!.toUpperCase() === 'TCP') report('IST0134', resource, ['spec', 'ports', i, 'name']);
      }
    }
  },
};

function hasAddresses({ spec, status }: Resource<ServiceEntry>): boolean {
  const allocated = (status as { addresses?: unknown } | undefined)?.addresses;
  return (spec.addresses ?? []).length > 0 || (Array.isArray(allocated) && allocated.length > 0);
}

function allocatesAddresses({ meshConfig }: AnalysisModel): boolean {
  const metadata = meshConfig.defaultConfig?.proxyMetadata ?? {};
  return (
    metadata['ISTIO_META_DNS_CAPTURE'] === 'true' &&
    (metadata['ISTIO_META_DNS_AUTO_ALLOCATE'] === 'true' || metadata['PILOT_ENABLE_IP_AUTOALLOCATE'] === 'true')
  );
}
