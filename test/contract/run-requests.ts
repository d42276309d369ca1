import type { RequestStep } from './case.ts';
import { clientFor } from './clients/client-for.ts';
import type { Answer, Sent } from './clients/types.ts';
import type { Credentials } from './credentials/credentials.ts';

/** One request of a step and what came of it. */
export interface Exchange {
  sent: Sent;
  answer: Answer;
}

/** Scheme, authority and the rest of a URL as it stands: nothing is normalised. */
export function splitUrl(url: string): { authority: string; path: string } {
  const [, authority = '', path = ''] = /^[a-z]+:\/\/([^/?#]*)(.*)$/s.exec(url) ?? [];
  return { authority, path: path === '' ? '/' : path };
}

/** What the nth request of a step is. `{{n}}` counts up to `vary`; `{{ab*3}}` is ababab. */
export function requestOf(step: RequestStep, n: number, port: number): Sent {
  const count = (text: string): string =>
    text
      .replaceAll('{{n}}', String(n % (step.vary ?? 1)))
      .replace(/\{\{([^{}]+)\*(\d+)\}\}/gs, (_all, part: string, times: string) => part.repeat(Number(times)));
  const url = count(step.url ?? '');
  const { authority, path } = splitUrl(url);
  const headers = Object.entries(step.headers ?? {}).flatMap(([name, value]) =>
    [value].flat().map((v): [string, string] => [name.toLowerCase(), count(String(v))]),
  );
  const grpc = step.protocol?.startsWith('grpc');
  return {
    port,
    source: step.source === undefined ? undefined : count(step.source),
    method: step.method ?? (grpc ? 'POST' : 'GET'),
    authority,
    target: step.to === undefined ? url : path,
    path,
    headers,
    body: step.body?.repeat(step.repeat ?? 1),
    send: [step.send ?? []].flat().map(count),
    sni: step.sni,
    tls: undefined,
  };
}

/** Sends all requests of a step, `concurrent` at a time. */
export async function runRequests(step: RequestStep, port: number, credentials: Credentials): Promise<Exchange[]> {
  const client = clientFor(step);
  const exchanges: Exchange[] = [];
  const { times = 1, concurrent = 1 } = step;
  const tls = step.tls === undefined ? undefined : credentials.clientTls(step.tls === true ? {} : step.tls);
  let next = 0;
  try {
    await Promise.all(
      Array.from({ length: Math.min(times, concurrent) }, async () => {
        while (next < times) {
          const sent = { ...requestOf(step, next++, port), tls };
          exchanges.push({ sent, answer: await client.send(sent) });
        }
      }),
    );
  } finally {
    client.close();
  }
  return exchanges;
}
