/** What the CA writes into CertificateSigningRequests. Each write is for the version that was judged: of somebody else's change in between it is told (409). */
import type { ApiClient } from '../../../src/kubernetes/client.ts';
import { type Condition, hasCondition, type Refusal, type SigningRequest, slimRequest } from './signing-request.ts';

const COLLECTION = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
/** What the API server takes of a message. */
const LONGEST = 1000;

export interface Answers {
  /** The request as it is now. */
  approve(request: SigningRequest): Promise<SigningRequest>;
  /** Denied; or Failed, where somebody has approved it already: it cannot be both. */
  deny(request: SigningRequest, why: Refusal): Promise<void>;
  fail(request: SigningRequest, why: Refusal): Promise<void>;
  /** @param chain PEM, leaf first */
  publish(request: SigningRequest, chain: string): Promise<void>;
  read(name: string): Promise<SigningRequest>;
}

export function createAnswers(client: ApiClient, signal: AbortSignal): Answers {
  const put = async (request: SigningRequest, part: 'approval' | 'status', status: SigningRequest['status']): Promise<SigningRequest> => {
    const path = `${COLLECTION}/${request.metadata.name}/${part}`;
    const body = { ...request, status };
    return slimRequest((await client.request(path, { method: 'PUT', body, signal })) as Record<string, unknown>);
  };
  const withCondition = ({ status = {} }: SigningRequest, type: string, { reason, message }: Refusal): SigningRequest['status'] => {
    const condition: Condition = { type, status: 'True', reason, message: message.slice(0, LONGEST) };
    return { ...status, conditions: [...(status.conditions ?? []), condition] };
  };
  const fail = async (request: SigningRequest, why: Refusal): Promise<void> => {
    await put(request, 'status', withCondition(request, 'Failed', why));
  };
  return {
    approve: (request) =>
      put(
        request,
        'approval',
        withCondition(request, 'Approved', { reason: 'FairleadPolicy', message: 'the policy of the CA allows it to the requester' }),
      ),
    async deny(request, why) {
      if (hasCondition(request, 'Approved')) return fail(request, why);
      await put(request, 'approval', withCondition(request, 'Denied', why));
    },
    fail,
    async publish(request, chain) {
      await put(request, 'status', { ...request.status, certificate: Buffer.from(chain, 'latin1').toString('base64') });
    },
    read: async (name) => slimRequest((await client.request(`${COLLECTION}/${name}`, { signal })) as Record<string, unknown>),
  };
}
