/** Services and WorkloadEntries for a case's backends, as YAML. */
import type { BackendSpec } from './case.ts';
import type { Placeholders } from './placeholders.ts';

const nameOf = (service: string): { name: string; namespace: string } => {
  const [name = '', namespace = 'default'] = service.split('.');
  return { name, namespace };
};

const document = (object: object): string => `---\n${JSON.stringify(object)}\n`;

/** A proxy in front of a backend that binds its own port: no redirection is needed. */
async function ingressOf(backend: string, namespace: string, protocol: string, places: Placeholders): Promise<string> {
  const [kind = ''] = protocol.split('-');
  const port = { number: await places.port(`${backend}.in`), name: protocol, protocol: kind.toUpperCase() };
  return document({
    apiVersion: 'networking.istio.io/v1',
    kind: 'Sidecar',
    metadata: { name: backend, namespace },
    spec: {
      workloadSelector: { labels: { version: backend } },
      ingress: [{ port, bind: '127.0.0.1', captureMode: 'NONE', defaultEndpoint: `127.0.0.1:${await places.port(backend)}` }],
    },
  });
}

/** Backends named `v1` and the like are versions of their services; a service has a port for each name that its backends give to it. */
export async function surroundings(backends: Record<string, BackendSpec>, places: Placeholders): Promise<string> {
  const services = new Map<string, Map<string, number>>();
  let out = '';
  for (const [backend, spec] of Object.entries(backends)) {
    const { service, protocol = 'http', port = 80, labels, locality, weight, identity, dnsNames, sidecar } = spec;
    if (service === undefined) continue;
    const ports = services.get(service) ?? new Map<string, number>();
    services.set(service, ports.set(protocol, Number(places.fill(String(port)))));
    const { name, namespace } = nameOf(service);
    const httpProxyPort = String(await places.port(`sidecar of ${backend}`));
    const annotations = {
      'fairlead.dev/http-proxy-port': httpProxyPort,
      ...(dnsNames && { 'fairlead.dev/dns-names': dnsNames.join(',') }),
    };
    out += document({
      apiVersion: 'networking.istio.io/v1',
      kind: 'WorkloadEntry',
      metadata: { name: backend, namespace, annotations },
      spec: {
        address: '127.0.0.1',
        ports: { [protocol]: await places.port(sidecar ? `${backend}.in` : backend) },
        labels: { app: name, version: backend, ...labels },
        ...(locality && { locality }),
        ...(weight !== undefined && { weight }),
        ...(identity !== undefined && { serviceAccount: identity }),
      },
    });
    if (sidecar) out += await ingressOf(backend, namespace, protocol, places);
  }
  for (const [service, ports] of services) {
    const { name, namespace } = nameOf(service);
    out += document({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { selector: { app: name }, ports: [...ports].map(([portName, port]) => ({ name: portName, port })) },
    });
  }
  return out;
}
