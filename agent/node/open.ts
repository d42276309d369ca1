/** The parts of a node agent put together. */
import type { ApiClient } from '../../src/kubernetes/client.ts';
import type { Mesh } from '../../src/mesh/types.ts';
import type { Log } from '../log.ts';
import { createAbout } from './about.ts';
import { createNodeEngine as create, type NodeEngine } from './engine.ts';
import { createReviewer } from './reviewer.ts';
import { reviewPodToken } from './token-review.ts';

export interface NodeEngineParts {
  /** Of the pods. */
  socket: string;
  nodeName: string;
  /** What the pods' tokens must be meant for. */
  audience: string;
  /** Checks them. */
  cluster: ApiClient;
  version: string;
  log: Log;
  /** A pod asks that was not served before: the proxies are to be chosen again. */
  asked(): void;
  mesh(): Mesh | undefined;
}

/** An engine for the pods of a node. It listens from its start on. */
export function createNodeEngine({ audience, cluster, mesh, ...parts }: NodeEngineParts): NodeEngine {
  const reviewer = createReviewer({ audience, ask: (token) => reviewPodToken(cluster, token, audience) });
  return create({ ...parts, reviewer, about: createAbout(mesh) });
}
