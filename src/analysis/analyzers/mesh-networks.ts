import type { ConfigMap } from '../../config/kinds/kubernetes.ts';
import type { MeshNetworks } from '../../config/kinds/mesh-config.ts';
import { parseDocument } from '../../config/yaml/parse-document.ts';
import type { Analyzer } from '../analyzer.ts';
import { embeddedResource } from '../model/embedded-resource.ts';

const BUILT_IN = ['Mock', 'Kubernetes', 'External'];

/** Networks whose endpoints come from a cluster that nobody knows. */
export const meshNetworks: Analyzer = {
  name: 'mesh-networks',
  codes: ['IST0126'],
  run(model, report) {
    for (const map of model.of<ConfigMap>('ConfigMap')) {
      const text = map.spec.data?.['meshNetworks'];
      if (map.metadata.name !== 'istio' || typeof text !== 'string') continue;
      const parsed = parseDocument(text);
      const networks = parsed.ok ? (parsed.value as MeshNetworks | null)?.networks : undefined;
      if (networks === null || typeof networks !== 'object') continue;
      const known = new Set(BUILT_IN);
      for (const { spec, metadata } of model.of<{ data?: Record<string, string>; stringData?: Record<string, string> }>('Secret')) {
        if (metadata.labels['istio/multiCluster'] !== 'true') continue;
        for (const key of [...Object.keys(spec.data ?? {}), ...Object.keys(spec.stringData ?? {})]) known.add(key);
      }
      const resource = embeddedResource(map, ['data', 'meshNetworks'], text, { kind: 'MeshNetworks', name: 'meshnetworks' });
      for (const [network, value] of Object.entries(networks ?? {})) {
        const endpoints = Array.isArray(value?.endpoints) ? value.endpoints : [];
        for (const [i, endpoint] of endpoints.entries()) {
          const registry = endpoint?.fromRegistry;
          if (typeof registry !== 'string' || registry === '' || known.has(registry)) continue;
          report('IST0126', resource, ['networks', network, 'endpoints', i, 'fromRegistry'], { serviceregistry: registry, network });
        }
      }
    }
  },
};
