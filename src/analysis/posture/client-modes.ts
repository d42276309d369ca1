import type { DestinationRule } from '../../config/kinds/networking.ts';
import type { Resource } from '../../config/resource.ts';
import type { AnalysisModel } from '../model/analysis-model.ts';
import { exposureKey } from './exposure.ts';
import { type PortPosture, referenceTo } from './types.ts';

type ClientMode = Pick<PortPosture['clients'], 'mode' | 'references'>;

/** What DestinationRules make clients do, by service and port. */
export function clientModes(model: AnalysisModel): (service: Resource, port: number) => ClientMode | undefined {
  const modes = new Map<string, ClientMode>();
  for (const rule of model.of<DestinationRule>('DestinationRule')) {
    const { host, exportTo, trafficPolicy } = rule.spec;
    const service = model.hosts.lookup(rule.metadata.namespace, exportTo, host)?.resource;
    if (service === undefined || trafficPolicy === undefined) continue;
    const set = (port: number | undefined, mode: string | undefined, at: (string | number)[]): void => {
      if (mode !== undefined) modes.set(exposureKey(service, port), { mode, references: [referenceTo(rule, at)] });
    };
    set(undefined, trafficPolicy.tls?.mode, ['spec', 'trafficPolicy', 'tls', 'mode']);
    for (const [i, { port, tls }] of (trafficPolicy.portLevelSettings ?? []).entries())
      set(port?.number, tls?.mode, ['spec', 'trafficPolicy', 'portLevelSettings', i, 'tls', 'mode']);
  }
  return (service, port) => modes.get(exposureKey(service, port)) ?? modes.get(exposureKey(service, undefined));
}
