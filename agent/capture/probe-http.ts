/** HTTP checks as the kubelet makes them: https://kubernetes.io/docs/concepts/workloads/pods/probes/#probe-check-methods */
import { type IncomingMessage, request as plainRequest } from 'node:http';
import type { AppProbe } from '../../src/install/capture/app-probe.ts';
import type { ProbeAnswer } from './app-probes.ts';
import type { ProbeTarget } from './probe-target.ts';

/** As the kubelet's. */
const MOST_REDIRECTS = 10;
/** Bytes of an answer that are read, so that the application can write it; nobody looks at them. */
const MOST_BODY = 10_240;

/** Asks, and follows redirects within the pod; rejects when there is no answer. */
export async function probeHttp(
  { path = '/', port, scheme = 'HTTP', httpHeaders = [] }: NonNullable<AppProbe['httpGet']>,
  target: ProbeTarget,
  userAgent: string,
  signal: AbortSignal,
): Promise<ProbeAnswer> {
  const host = target.address.includes(':') ? `[${target.address}]` : target.address;
  const headers = headersOf(httpHeaders, userAgent);
  let url = new URL(`${scheme.toLowerCase()}://${host}:${port}${path.startsWith('/') ? '' : '/'}${path}`);
  const { hostname } = url;
  for (let redirects = 0; ; redirects++) {
    const { statusCode: status = 500, headers: answered } = await get(url, headers, target, signal);
    const next = status >= 300 && status < 400 && answered.location !== undefined ? URL.parse(answered.location, url.href) : null;
    if (next === null || next.hostname !== hostname || !/^https?:$/.test(next.protocol))
      return { status: status < 400 ? 200 : status, text: `the application answers ${status}` };
    if (redirects === MOST_REDIRECTS) return { status: 500, text: `the application redirects more than ${MOST_REDIRECTS} times` };
    url = next;
  }
}

/** A header that is given twice is sent twice. */
function headersOf(
  given: NonNullable<NonNullable<AppProbe['httpGet']>['httpHeaders']>,
  userAgent: string,
): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { accept: '*/*', 'user-agent': userAgent };
  for (const [name, all] of Map.groupBy(given, (header) => header.name.toLowerCase())) {
    const values = all.map(({ value }) => value);
    // Kubernetes: an empty value takes the header away that would be sent else.
    if (values.every((value) => value === '')) delete headers[name];
    else headers[name] = values.length === 1 ? (values[0] as string) : values;
  }
  return { ...headers, connection: 'close' };
}

function get(
  url: URL,
  headers: Record<string, string | string[]>,
  { localAddress }: ProbeTarget,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  // The certificate is the application's own affair, as for the kubelet. No name is asked for: the host is an address.
  const tls = url.protocol === 'https:' ? { rejectUnauthorized: false, servername: '' } : {};
  const request = url.protocol === 'https:' ? process.getBuiltinModule('node:https').request : plainRequest;
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers, agent: false, signal, ...(localAddress && { localAddress }), ...tls }, (response) => {
      let read = 0;
      response
        .on('error', () => undefined)
        .on('data', (bytes: Buffer) => {
          read += bytes.length;
          if (read > MOST_BODY) response.destroy();
        });
      resolve(response);
    });
    asked.on('error', reject).end();
  });
}
