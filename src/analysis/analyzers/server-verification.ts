import type { DestinationRule } from '../../config/kinds/networking.ts';
import type { Analyzer } from '../analyzer.ts';
import { fullName } from '../model/hosts.ts';

/** TLS to servers whose certificate nobody is told how to check. */
export const serverVerification: Analyzer = {
  name: 'server-verification',
  codes: ['IST0128', 'IST0129'],
  run(model, report) {
    for (const resource of model.of<DestinationRule>('DestinationRule')) {
      const { host, trafficPolicy, workloadSelector } = resource.spec;
      if (trafficPolicy === undefined) continue;
      const unverified = (tls: typeof trafficPolicy.tls): string | undefined => {
        if (tls === undefined || (tls.mode !== 'SIMPLE' && tls.mode !== 'MUTUAL') || tls.caCertificates) return undefined;
        return tls.credentialName && workloadSelector !== undefined ? undefined : tls.mode;
      };
      const args = { destinationrule: fullName(resource.metadata), namespace: resource.metadata.namespace, host };
      const mode = unverified(trafficPolicy.tls);
      if (mode !== undefined) report('IST0128', resource, ['spec', 'trafficPolicy', 'tls'], { ...args, mode }, { atKey: true });
      for (const [i, { port, tls }] of (trafficPolicy.portLevelSettings ?? []).entries()) {
        const portMode = unverified(tls);
        if (portMode === undefined) continue;
        const at = ['spec', 'trafficPolicy', 'portLevelSettings', i, 'tls'];
        report('IST0129', resource, at, { ...args, mode: portMode, port: String(port?.number ?? 0) }, { atKey: true });
      }
    }
  },
};
