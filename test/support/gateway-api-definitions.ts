/** The Gateway API's own definitions, from its Go module: the standard channel, as clusters have it. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { KubeApi, KubeObject } from './kube-api.ts';

const MODULE = 'sigs.k8s.io/gateway-api@v1.6.1';
const SUM = 'h1:mock6phZbI6rvZerwrVNk7hVNymQgHo+6sJ81Ia7ftY=';

/** The definitions, or why there are none. In CI there must be some: throws there. */
export function gatewayApiDefinitions(): KubeObject[] | { missing: string } {
  const found = find();
  if ('missing' in found && process.env['CI']) throw new Error(`CI needs the definitions of the Gateway API: ${found.missing}`);
  return found;
}

function find(): KubeObject[] | { missing: string } {
  const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '' };
  const { status, stdout, stderr, error } = spawnSync('go', ['mod', 'download', '-json', MODULE], {
    cwd: tmpdir(),
    env,
    encoding: 'utf8',
    timeout: 120_000,
  });
  if (error) return { missing: 'there is no Go to fetch them with' };
  if (status !== 0) return { missing: `go mod download failed: ${stderr.trim().split('\n').at(-1)}` };
  const { Dir, Sum } = JSON.parse(stdout) as { Dir: string; Sum: string };
  if (Sum !== SUM) throw new Error(`${MODULE} has sum ${Sum}, not ${SUM}`);
  const folder = join(Dir, 'config', 'crd', 'standard');
  return readdirSync(folder)
    .sort()
    .flatMap((file) => parseAllDocuments(readFileSync(join(folder, file), 'utf8')))
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
