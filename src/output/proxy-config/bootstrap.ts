import type { BootstrapJson } from '#envoy-api/envoy/config/bootstrap/v3/bootstrap_pb.js';

/** `proxy-config bootstrap -o short`: a line for each version that the bootstrap tells. */
export function bootstrapSummary(bootstrap: BootstrapJson): string {
  const { metadata, userAgentBuildVersion: build, userAgentVersion } = bootstrap.node ?? {};
  const lines: string[] = [];
  const add = (label: string, value: unknown): void => {
    if (typeof value === 'string' && value !== '') lines.push(`${label}: ${value}`);
  };
  add('Istio Version', metadata?.['ISTIO_VERSION']);
  add('Istio Proxy Version', metadata?.['ISTIO_PROXY_SHA']);
  add('Fairlead Version', metadata?.['FAIRLEAD_VERSION']);
  if (build?.version) {
    const { majorNumber = 0, minorNumber = 0, patch = 0 } = build.version;
    const of = (key: string): string => String(build.metadata?.[key] ?? '');
    add(
      'Envoy Version',
      `${majorNumber}.${minorNumber}.${patch}-${of('build.label')}/${of('revision.status')}/${of('build.type')}/${of('ssl.version')}`,
    );
  } else add('Envoy Version', userAgentVersion);
  return lines.length > 0 ? `${lines.join('\n')}\n` : 'The bootstrap tells no version.\n';
}
