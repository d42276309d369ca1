/** Objects for tests on an API server, and waiting for them. */
import { networkInterfaces } from 'node:os';
import { kinds } from '../../src/config/kinds/registry.ts';
import { customResourceDefinitions } from '../../src/install/crds.ts';
import type { KubeApi, KubeObject } from './kube-api.ts';

/** Applies the definitions of Istio's kinds, and waits until they are served. */
export async function createDefinitions(api: KubeApi): Promise<void> {
  const definitions = customResourceDefinitions(kinds);
  await Promise.all(definitions.map((definition) => api.create(definition as unknown as KubeObject)));
  await until('the definitions are served', async () => {
    const states = await Promise.all(
      definitions.map(async ({ metadata, spec }) => {
        const { group, versions, names } = spec as { group: string; versions: { name: string }[]; names: { plural: string } };
        const found = await Promise.all(
          versions.map(({ name }) =>
            api.admin.request(`/apis/${group}/${name}/${names.plural}?limit=1`).then(
              () => true,
              () => false,
            ),
          ),
        );
        return metadata.name !== '' && found.every(Boolean);
      }),
    );
    return states.every(Boolean);
  });
}

export function namespaceOf(name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

export function serviceOf(name: string, namespace: string, port = 80): KubeObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec: { ports: [{ name: 'http', port, targetPort: port }] } };
}

/** Endpoints of a service: the API server takes no loopback addresses. */
export function sliceOf(service: string, namespace: string, port: number, addresses: readonly string[]): KubeObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${service}-1`, namespace, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port }],
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
  };
}

/** A Pod `SERVICE-VERSION` with these labels, and the EndpointSlice that leads to it. */
export async function createVersion(
  api: KubeApi,
  { service, version, namespace, address, port }: { service: string; version: string; namespace: string; address: string; port: number },
): Promise<void> {
  const name = `${service}-${version}`;
  await api.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: service, version } },
    spec: { serviceAccountName: 'default', containers: [{ name: 'app', image: 'app:1' }] },
  });
  const slice = sliceOf(service, namespace, port, []);
  await api.create({
    ...slice,
    metadata: { ...slice.metadata, name },
    endpoints: [{ addresses: [address], conditions: { ready: true }, targetRef: { kind: 'Pod', name, namespace } }],
  });
}

export function routeOf(host: string, namespace: string, to: string, more: object = {}): KubeObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: host, namespace },
    spec: { hosts: [host], http: [{ route: [{ destination: { host: to } }], ...more }] },
  };
}

/** An IPv4 address of this machine that is not a loopback one; undefined when it has none. */
export function ownAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .find(({ family, internal, address }) => family === 'IPv4' && !internal && !address.startsWith('169.254.'))?.address;
}

/** Waits for a condition; rejects with its name after the deadline. Gives the milliseconds that it took. */
export async function until(what: string, condition: () => boolean | Promise<boolean>, deadlineMs = 20_000): Promise<number> {
  const started = performance.now();
  while (!(await condition())) {
    if (performance.now() - started > deadlineMs) throw new Error(`not so after ${deadlineMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return performance.now() - started;
}
