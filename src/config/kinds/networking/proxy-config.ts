import type { Static } from 'typebox';
import { defineKind } from '../kind.ts';
import { as, int32, message, string, stringMap } from '../schema.ts';
import { WorkloadSelector } from '../selector.ts';

export const ProxyImage = message('Which image the proxy runs from.', {
  imageType: string('Sort of the image: `default`, `distroless` or `debug`.'),
});

export const ProxyConfig = message('Settings of the proxies themselves. They take effect when a proxy starts.', {
  selector: as(WorkloadSelector, 'Workloads that this is for. Default: all of the namespace, or of the mesh in the root namespace.'),
  concurrency: int32('Worker threads. 0: one a CPU core. Default: as many as the CPU limit allows.', { minimum: 0 }),
  environmentVariables: stringMap('Further environment variables of the proxy.', { values: { maxLength: 2048 } }),
  image: ProxyImage,
});

export type ProxyImage = Static<typeof ProxyImage>;
export type ProxyConfig = Static<typeof ProxyConfig>;

export const proxyConfig = defineKind({
  kind: 'ProxyConfig',
  group: 'networking.istio.io',
  versions: ['v1beta1'],
  plural: 'proxyconfigs',
  shortNames: [],
  scope: 'Namespaced',
  description: 'Settings of proxy processes: threads, environment, image.',
  payload: 'spec',
  schema: ProxyConfig,
  unknownFields: 'refuse',
});
