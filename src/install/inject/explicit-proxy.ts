/** How an application's requests get to the sidecar: by the variables that HTTP clients look for. */
import type { Wishes } from './annotations.ts';
import type { ContainerJson } from './pod.ts';

const PROXIES = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy'];
const EXCEPTIONS = ['NO_PROXY', 'no_proxy'];
/** The pod itself, the API server (Kubernetes fills in its address), and the clouds' metadata, which answer by who asks. */
const DIRECT = ['localhost', '127.0.0.1', '::1', '$(KUBERNETES_SERVICE_HOST)', 'kubernetes.default.svc', '169.254.169.254'];

/** The container with the variables; one that has a proxy of its own stays as it is: `taken` is the variable that names it. */
export function throughProxy(container: ContainerJson, wishes: Wishes): { container: ContainerJson; taken?: string } {
  const env = container.env ?? [];
  const own = env.find(({ name }) => PROXIES.includes(name));
  if (own !== undefined) return { container, taken: own.name };
  const missing = (names: readonly string[], value: string) =>
    names.filter((name) => !env.some((e) => e.name === name)).map((name) => ({ name, value }));
  const added = [
    ...missing(PROXIES, `http://127.0.0.1:${wishes.proxyPort}`),
    ...missing(EXCEPTIONS, [...DIRECT, ...wishes.excluded].join(',')),
  ];
  return { container: { ...container, env: [...env, ...added] } };
}
