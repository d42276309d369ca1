/** The definitions of the Gateway API (its standard channel) and of Istio as they publish them, from their Go modules. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { goModule } from './go-module.ts';
import type { KubeApi, KubeObject } from './kube-api.ts';

const GATEWAY_API = ['sigs.k8s.io/gateway-api@v1.6.1', 'h1:mock6phZbI6rvZerwrVNk7hVNymQgHo+6sJ81Ia7ftY='] as const;
const ISTIO = ['istio.io/api@v1.31.1', 'h1:5Yb5ihcz4YQsCkciusK7DnFpBMwRB6EFWeUKH1Atuyk='] as const;

/** The definitions, or why there are none. In CI there must be some: throws there. */
export function gatewayApiDefinitions(): KubeObject[] | { missing: string } {
  const module = goModule(...GATEWAY_API);
  if (typeof module !== 'string') return module;
  const folder = join(module, 'config', 'crd', 'standard');
  return readdirSync(folder)
    .sort()
    .flatMap((file) => definitionsIn(join(folder, file)));
}

/** As `gatewayApiDefinitions`. */
export function istioDefinitions(): KubeObject[] | { missing: string } {
  const module = goModule(...ISTIO);
  return typeof module === 'string' ? definitionsIn(join(module, 'kubernetes', 'customresourcedefinitions.gen.yaml')) : module;
}

function definitionsIn(file: string): KubeObject[] {
  return parseAllDocuments(readFileSync(file, 'utf8'))
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object): object is KubeObject => object?.kind === 'CustomResourceDefinition');
}

/** Applies definitions, and waits until they are served. */
export async function applyDefinitions(api: KubeApi, definitions: readonly KubeObject[]): Promise<void> {
  await Promise.all(definitions.map((definition) => api.create(definition)));
  const deadline = Date.now() + 20_000;
  for (const { metadata } of definitions) {
    for (;;) {
      const { status } = (await api.admin.request(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${metadata.name}`)) as {
        status?: { conditions?: { type: string; status: string }[] };
      };
      if (status?.conditions?.some((c) => c.type === 'Established' && c.status === 'True')) break;
      if (Date.now() > deadline) throw new Error(`${metadata.name} is not served`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
