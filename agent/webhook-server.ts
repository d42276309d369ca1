/** Serves the webhooks of an installation: wiring and life cycle, for commands. */
import { kinds } from '../src/config/kinds/registry.ts';
import type { InjectSettings } from '../src/install/inject/settings.ts';
import { INJECT_PATH, STRICT_INJECT_PATH, VALIDATE_PATH, webhookServer } from '../src/install/inject/webhooks.ts';
import { publishBundle, type WebhookConfigurations } from '../src/install/live/ca-bundle.ts';
import type { ApiClient } from '../src/kubernetes/client.ts';
import { workloadIdentity } from '../src/pki/spiffe-id.ts';
import { type CaChoice, openIssuer } from './identity/open-issuer.ts';
import type { Log } from './log.ts';
import { startWebhookServer } from './webhook/https-server.ts';
import { type AdmissionRequest, type AdmissionResponse, answerInjection, answerValidation } from './webhook/review.ts';
import { keepServingCertificate, type Serving, type ServingTiming } from './webhook/serving-certificate.ts';

export interface WebhookOptions {
  host: string;
  port: number;
  /** The roots are those that the CA says now. */
  settings: Omit<InjectSettings, 'ca'> & { ca: Omit<InjectSettings['ca'], 'roots'> };
  client: ApiClient;
  configurations: WebhookConfigurations;
  ca: CaChoice;
  /** Of certificates, milliseconds; undefined: what the CA gives. */
  certificateLifeMs: number | undefined;
  trustDomain: string;
  /** A SPIFFE ID. */
  identity: string;
  dnsNames: readonly string[];
  dataDirectory: string;
  log: Log;
  timing?: ServingTiming;
}

/** Of the service account that the server has in a cluster. */
export const webhookIdentity = (trustDomain: string, who: { namespace: string; revision: string }): string =>
  workloadIdentity(trustDomain, who.namespace, webhookServer(who));

export interface Webhooks {
  readonly port: number;
  close(): Promise<void>;
}

/** Throws E_PORT_IN_USE, E_PORT_FORBIDDEN, and what opening a CA's directory throws. A CA or an API server that is away is waited for. */
export async function startWebhooks(options: WebhookOptions): Promise<Webhooks> {
  const { client, configurations, log } = options;
  const issuer = await openIssuer(options.ca, options.dataDirectory, options.trustDomain, log);
  const stop = new AbortController();
  let serving: Serving | undefined;
  const roots = (): string | undefined => serving?.roots();
  const inject =
    (strict: boolean) =>
    (request: AdmissionRequest): AdmissionResponse => {
      const { settings } = options;
      return answerInjection(request, { ...settings, ca: { ...settings.ca, roots: roots() ?? '' } }, strict);
    };
  const server = await startWebhookServer({
    host: options.host,
    port: options.port,
    log,
    answers: {
      [INJECT_PATH]: inject(false),
      [STRICT_INJECT_PATH]: inject(true),
      [VALIDATE_PATH]: (request) => answerValidation(request, kinds),
    },
    unready: () => (serving?.shown() === undefined ? 'it has no certificate yet' : undefined),
  }).catch((error: unknown) => {
    issuer.close();
    throw error;
  });
  let said = '';
  serving = keepServingCertificate({
    issuer,
    identity: options.identity,
    dnsNames: options.dnsNames,
    lifeMs: options.certificateLifeMs,
    log,
    ...(options.timing === undefined ? {} : { timing: options.timing }),
    async publish(pem) {
      const { missing, denied } = await publishBundle(client, pem, configurations, stop.signal);
      const what = JSON.stringify([missing, denied]);
      if (what === said) return;
      said = what;
      if (missing.length > 0) log.warning('there is nothing that asks these webhooks yet', { missing: missing.join(', ') });
      if (denied.length > 0) log.warning('the CA’s roots cannot be kept in all webhook configurations', { denied: denied.join(', ') });
    },
    show: (certificate) => server.setCertificate(certificate),
  });
  return {
    port: server.port,
    async close() {
      serving?.close();
      stop.abort();
      await server.close();
      issuer.close();
    },
  };
}
