/** A node's engine and agents of pods in one process: real sockets and streams between them, tokens that are looked up in a table. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { type ControllerEvent, createController } from '../../../agent/controller.ts';
import { openDataDirectory } from '../../../agent/data-directory.ts';
import { createLog } from '../../../agent/log.ts';
import { createAbout } from '../../../agent/node/about.ts';
import { createNodeEngine } from '../../../agent/node/engine.ts';
import { createReviewer } from '../../../agent/node/reviewer.ts';
import type { PodCaller } from '../../../agent/node/token-review.ts';
import { createPodController, type PodController } from '../../../agent/pod/controller.ts';
import { createFakeEngine, type FakeEngine } from '../../support/fake-engine.ts';

export const NODE = 'node-1';
export const AUDIENCE = 'fairlead-agent';

/** An unsigned token: `ask` below knows whose it is. */
export function tokenOf(name: string, audience = AUDIENCE): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ aud: [audience], exp: Date.now() / 1000 + 3600, sub: name })}.x`;
}

export function podYaml(name: string, ip: string, more: { node?: string; uid?: string; labels?: string } = {}): string {
  return `apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: shop, uid: ${more.uid ?? `uid-${name}`}, labels: { ${more.labels ?? `app: ${name}`} }, annotations: { fairlead.dev/http-proxy-port: "15080" } }
spec: { nodeName: ${more.node ?? NODE}, serviceAccountName: ${name}, containers: [{ name: app, image: app }] }
status: { phase: Running, podIP: ${ip}, podIPs: [{ ip: ${ip} }] }
`;
}

export interface NodeFixture {
  readonly socket: string;
  readonly controller: ReturnType<typeof createController>;
  readonly engine: ReturnType<typeof createNodeEngine>;
  /** Tokens that were asked about. */
  readonly asked: string[];
  readonly log: string[];
  readonly events: ControllerEvent[];
  write(yaml: string): Promise<void>;
  /** Secrets of all proxies from now on. */
  secrets(list: readonly SecretJson[]): Promise<void>;
  pod(name: string): Promise<PodFixture>;
  close(): Promise<void>;
}

export interface PodFixture {
  readonly engine: FakeEngine;
  readonly controller: PodController;
  readonly log: string[];
  readonly events: ControllerEvent[];
  readonly tokenFile: string;
  close(): void;
}

/** @param callers who the tokens are of, by `sub`; a name alone is that of a pod of this node */
export async function startNode(folder: string, yaml: string, callers: Record<string, Partial<PodCaller>> = {}): Promise<NodeFixture> {
  const mesh = join(folder, 'mesh.yaml');
  const socket = join(folder, 'pods.sock');
  const log: string[] = [];
  const asked: string[] = [];
  const events: ControllerEvent[] = [];
  const pods: PodFixture[] = [];
  let secrets: readonly SecretJson[] = [];
  writeFileSync(mesh, yaml);
  const engine = createNodeEngine({
    socket,
    nodeName: NODE,
    version: 'test',
    log: createLog('text', 'debug', (line) => log.push(line)),
    asked: () => void controller.sync(),
    about: createAbout(() => controller.mesh()),
    reviewer: createReviewer({
      audience: AUDIENCE,
      async ask(token) {
        asked.push(token);
        const { sub } = JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString()) as { sub: string };
        return { namespace: 'shop', serviceAccount: sub, pod: sub, uid: `uid-${sub}`, node: NODE, ...callers[sub] };
      },
    }),
  });
  const controller = createController({
    paths: [mesh],
    namespace: 'shop',
    meshConfig: undefined,
    addresses: { list: [], nodeName: NODE },
    choose: (now) => engine.choose(now),
    allowUnenforced: false,
    engine,
    async provideSecrets(_, snapshots) {
      for (const { proxy } of snapshots) await engine.applySecrets(proxy.id, secrets).catch(() => undefined);
    },
    notify: (event) => events.push(event),
  });
  await engine.start();
  await controller.sync();
  return {
    socket,
    controller,
    engine,
    asked,
    log,
    events,
    async write(text) {
      writeFileSync(mesh, text);
      await controller.sync();
    },
    async secrets(list) {
      secrets = list;
      for (const { node } of controller.proxies()) await engine.applySecrets(node.id, list);
    },
    async pod(name) {
      const home = join(folder, name);
      mkdirSync(home, { recursive: true });
      const tokenFile = join(home, 'token');
      writeFileSync(tokenFile, tokenOf(name));
      const own: string[] = [];
      const told: ControllerEvent[] = [];
      const fake = createFakeEngine();
      const data = openDataDirectory(join(home, 'data'));
      const pod = createPodController({
        socket,
        tokenFile,
        data,
        engine: fake,
        version: 'test',
        log: createLog('text', 'debug', (line) => own.push(line)),
        notify: (event) => told.push(event),
      });
      await pod.start();
      const fixture: PodFixture = {
        engine: fake,
        controller: pod,
        log: own,
        events: told,
        tokenFile,
        close() {
          pod.close();
          data.release();
        },
      };
      pods.push(fixture);
      return fixture;
    },
    async close() {
      for (const pod of pods) pod.close();
      await engine.stop();
    },
  };
}
