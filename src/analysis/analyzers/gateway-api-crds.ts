import type { Analyzer } from '../analyzer.ts';

const ANNOTATION = 'gateway.networking.k8s.io/bundle-version';
const MINIMUM: Readonly<Record<string, string>> = {
  'grpcroutes.gateway.networking.k8s.io': '1.1.0',
  'backendtlspolicies.gateway.networking.k8s.io': '1.4.0',
  'tlsroutes.gateway.networking.k8s.io': '1.5.0',
  'tcproutes.gateway.networking.k8s.io': '1.6.0',
};

/** CRDs of the Gateway API that are too old. */
export const gatewayApiCrds: Analyzer = {
  name: 'gateway-api-crds',
  codes: ['IST0176'],
  run(model, report) {
    for (const resource of model.of('CustomResourceDefinition')) {
      const { name, annotations } = resource.metadata;
      const minimum = Object.hasOwn(MINIMUM, name) ? MINIMUM[name]! : undefined;
      const written = annotations[ANNOTATION];
      const installed = typeof written === 'string' ? parse(written) : undefined;
      if (minimum === undefined || installed === undefined || !isBelow(installed, parse(minimum)!)) continue;
      const installedVersion = written!.replace(/^v/, '');
      report('IST0176', resource, ['metadata', 'annotations', ANNOTATION], { crd: name, installedVersion, minimumVersion: minimum });
    }
  },
};

/** Major, minor, patch; a pre-release part does not count. */
function parse(version: string): number[] | undefined {
  const parts = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:[-+].*)?$/.exec(version.trim());
  return parts === null ? undefined : [1, 2, 3].map((i) => Number(parts[i] ?? 0));
}

function isBelow(a: readonly number[], b: readonly number[]): boolean {
  const i = a.findIndex((part, at) => part !== b[at]);
  return i !== -1 && a[i]! < b[i]!;
}
