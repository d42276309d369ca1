/**
 * The secrets of this node's proxies: what their listeners and clusters name is made ready, told to the engine before the config that needs
 * it, and told again when it changes. Private keys go to the engine and to `identity/` in the data directory, nowhere else.
 */
import { createHash } from 'node:crypto';
import type { SecretJson } from '#envoy-api/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import type { ReferenceGrant } from '../../src/config/kinds/gateway-api.ts';
import type { Secret } from '../../src/config/kinds/kubernetes.ts';
import type { Resource } from '../../src/config/resource.ts';
import { secretNames } from '../../src/envoy/secret-names.ts';
import type { Snapshot } from '../../src/envoy/snapshot.ts';
import { GATEWAY_API } from '../../src/mesh/gateway-api/objects.ts';
import { dnsNamesOf, identityOf } from '../../src/mesh/identity.ts';
import type { Mesh, ProxyNode } from '../../src/mesh/types.ts';
import { readCertificates } from '../../src/pki/certificate.ts';
import type { Engine } from '../engine.ts';
import type { Log } from '../log.ts';
import { type Certificates, createCertificates, type WantedCertificate } from './certificates.ts';
import { createFileSecrets, isFileSecret } from './file-secrets.ts';
import type { IdentityStatus, SecretProblem } from './identity-status.ts';
import type { Issuer } from './issuer.ts';
import type { KeptCertificate } from './kept-certificate.ts';
import { isResourceSecret, type Made, resourceSecret } from './resource-secrets.ts';
import { openIdentityStore, type Trust } from './store.ts';

export interface IdentityOptions {
  dataDirectory: string;
  engine: Pick<Engine, 'applySecrets' | 'status'>;
  /** What signs, for a trust domain. It may be away: it is asked for again. */
  openIssuer(trustDomain: string): Promise<Issuer>;
  /** How it is called where it could not be opened yet. */
  caName: string;
  lifeMs: number | undefined;
  /** Whether files that proxies name are read here; not where a proxy has a file system of its own. Read unless it is said. */
  files?: boolean;
  log: Log;
}

export interface Identity {
  /**
   * These are the node's proxies now. Resolves when the engine has the secrets that there are: a CA that does not answer is waited for a
   * little, not longer. Never rejects: what is missing is in `status`.
   *
   * @param mesh undefined: what ran before is restored, without a configuration
   */
  provide(mesh: Mesh | undefined, snapshots: readonly Snapshot[]): Promise<void>;
  /** Tells the engine once more what it did not take. */
  retry(): Promise<void>;
  status(): IdentityStatus;
  close(): void;
}

interface ProxySecrets {
  node: ProxyNode;
  names: readonly string[];
  wanted: WantedCertificate;
  /** What was last made of files and Secrets. */
  good: Map<string, SecretJson>;
  /** The certificate among what the engine has. */
  shown: KeptCertificate | undefined;
  /** A hash of what the engine has; undefined when it has not taken it. */
  told: string | undefined;
  problems: readonly SecretProblem[];
}

/** What is told: these roots (PEM), and certificates as they are now or as they were told before. */
interface Pass {
  roots: string | undefined;
  fresh: boolean;
}

/** What the CA gives. */
const OWN = ['default', 'ROOTCA'];
/** How long a configuration waits for a CA. */
const PATIENCE_MS = 3000;

export function createIdentity(options: IdentityOptions): Identity {
  const { log, engine } = options;
  const store = openIdentityStore(options.dataDirectory);
  const proxies = new Map<string, ProxySecrets>();
  const files = createFileSecrets(() => void tellAll());
  let certificates: Certificates | undefined;
  let trustDomain: string | undefined;
  let issuer: Issuer | undefined;
  let resources = new Map<string, Resource<Secret>>();
  let grants: readonly Resource<ReferenceGrant>[] = [];
  let turn: Promise<void> = Promise.resolve();
  let again = false;
  let closed = false;
  /** What all proxies trust. */
  let inForce: Trust | undefined;

  function certificatesFor(domain: string): Certificates {
    if (certificates && trustDomain === domain) return certificates;
    certificates?.close();
    trustDomain = domain;
    issuer = undefined;
    certificates = createCertificates({
      store,
      lifeMs: options.lifeMs,
      log,
      async issuer() {
        issuer = await options.openIssuer(domain);
        return issuer;
      },
      changed: () => void tellAll(),
      inForce: () => (inForce?.trustDomain === domain ? inForce.sequence : 0),
    });
    return certificates;
  }

  /** A source that goes bad, or away, leaves what it last was: as Envoy keeps a secret that is taken from it. */
  function secretOf(name: string, proxy: ProxySecrets, pass: Pass): Made & { stale?: string } {
    const made = madeOf(name, proxy, pass);
    if (name === 'default' || name === 'ROOTCA') return made;
    if ('secret' in made) proxy.good.set(name, made.secret);
    const last = proxy.good.get(name);
    return 'secret' in made || last === undefined ? made : { secret: last, stale: made.problem };
  }

  function madeOf(name: string, { node, wanted, shown }: ProxySecrets, { roots, fresh }: Pass): Made {
    if (name === 'default') {
      const held = (fresh ? undefined : shown) ?? certificates?.get(wanted);
      if (!held) return { problem: `there is no certificate for ${wanted.identity} yet` };
      return {
        secret: { name, tlsCertificate: { certificateChain: { inlineString: held.chain }, privateKey: { inlineString: held.key } } },
      };
    }
    if (name === 'ROOTCA') {
      return roots === undefined
        ? { problem: 'there are no trusted roots yet' }
        : { secret: { name, validationContext: { trustedCa: { inlineString: roots } } } };
    }
    if (isFileSecret(name)) return files.get(name);
    if (isResourceSecret(name))
      return resourceSecret(name, node.namespace, (kind, namespace, of) => resources.get(`${kind} ${namespace}/${of}`), grants);
    return { problem: 'nothing here supplies it' };
  }

  function trustOf(): ReturnType<Certificates['trust']> {
    const trust = certificates?.trust();
    return trust?.trustDomain === trustDomain ? trust : undefined;
  }

  /** Whether the engine has them. */
  async function tell(id: string, proxy: ProxySecrets, pass: Pass): Promise<boolean> {
    const secrets: SecretJson[] = [];
    const problems: SecretProblem[] = [];
    for (const name of proxy.names) {
      const made = secretOf(name, proxy, pass);
      const problem = 'problem' in made ? made.problem : made.stale;
      if ('secret' in made) secrets.push(made.secret);
      if (problem !== undefined) problems.push({ name, message: problem, serves: 'secret' in made });
    }
    const hash = createHash('sha256').update(JSON.stringify(secrets)).digest('hex');
    note(proxy, problems);
    if (proxy.told === hash || (proxy.told === undefined && secrets.length === 0)) return true;
    // What an earlier agent gave it is good, where this one has nothing in its place: a whole set without it would take it away.
    if (proxy.told === undefined && lacksOwn(proxy, secrets) && engine.status().adopted) return false;
    const shown = pass.fresh ? certificates?.get(proxy.wanted) : proxy.shown;
    try {
      await engine.applySecrets(id, secrets);
      proxy.told = hash;
      proxy.shown = shown;
      return true;
    } catch (error) {
      proxy.told = undefined;
      note(proxy, [...problems, { name: '', message: (error as Error).message, serves: false }]);
      return false;
    }
  }

  /** Said once for as long as it is so. */
  function note(proxy: ProxySecrets, problems: readonly SecretProblem[]): void {
    for (const { name, message } of problems)
      if (!proxy.problems.some((p) => p.name === name && p.message === message))
        log.warning('a secret is missing or not what its source has now', {
          proxy: `${proxy.node.name}.${proxy.node.namespace}`,
          secret: name,
          why: message,
        });
    proxy.problems = problems;
  }

  /** One round at a time; what comes while it runs makes one more. */
  function tellAll(): Promise<void> {
    if (again || closed) return turn;
    again = true;
    turn = turn.then(async () => {
      again = false;
      await tellRound();
    });
    return turn;
  }

  /**
   * Some proxies of a node are told before others, and they talk to each other meanwhile: new roots are trusted by all before anybody shows
   * a certificate under them, and old ones until nobody does any more.
   */
  async function tellRound(): Promise<void> {
    const trust = trustOf();
    if (trust && inForce && inForce.trustDomain === trust.trustDomain && inForce.roots !== trust.roots) {
      const roots = rootsOfBoth(inForce.roots, trust.roots);
      await tellPass({ roots, fresh: false });
      await tellPass({ roots, fresh: true });
    }
    if ((await tellPass({ roots: trust?.roots, fresh: true })) && trust) inForce = trust;
  }

  async function tellPass(pass: Pass): Promise<boolean> {
    const told = await Promise.all([...proxies].map(([id, proxy]) => closed || tell(id, proxy, pass)));
    return told.every(Boolean) && !closed;
  }

  return {
    async provide(mesh, snapshots) {
      const domain = mesh?.config.trustDomain.replaceAll('@', '.') ?? trustDomain ?? store.trust()?.trustDomain ?? 'cluster.local';
      if (mesh) grants = mesh.ofKind<ReferenceGrant>(`${GATEWAY_API}/ReferenceGrant`);
      if (mesh) resources = new Map((['Secret', 'ConfigMap'] as const).flatMap((kind) => named(mesh, kind)));
      for (const id of [...proxies.keys()]) if (!snapshots.some((s) => s.proxy.id === id)) proxies.delete(id);
      for (const snapshot of snapshots) {
        const { proxy: node } = snapshot;
        const before = proxies.get(node.id);
        const wanted = { identity: identityOf(node, { trustDomain: domain }), dnsNames: dnsNamesOf(node) };
        const names = secretNames(snapshot).filter((name) => options.files !== false || !isFileSecret(name));
        const next = { node, names, wanted };
        for (const name of before?.good.keys() ?? []) if (!next.names.includes(name)) before?.good.delete(name);
        if (before) Object.assign(before, next);
        else proxies.set(node.id, { ...next, told: undefined, shown: undefined, problems: [], good: new Map() });
      }
      const all = [...proxies.values()];
      const own = all.filter(({ names }) => names.includes('default') || names.includes('ROOTCA'));
      if (own.length > 0 || certificates) await certificatesFor(domain).want(unique(own.map(({ wanted }) => wanted)), PATIENCE_MS);
      await files.watch(all.flatMap(({ names }) => names.filter(isFileSecret)));
      await tellAll();
    },
    async retry() {
      if ([...proxies.values()].some(({ problems }) => problems.length > 0)) await tellAll();
    },
    status() {
      const held = certificates?.status() ?? [];
      const own = issuer?.own();
      return {
        ca: issuer?.name ?? options.caName,
        ...(own ? { agent: { identity: own.identity, notAfter: own.notAfter.toISOString(), nextRenewal: own.renewAt.toISOString() } } : {}),
        trust: ((trust) => trust && { trustDomain: trust.trustDomain, sequence: trust.sequence })(trustOf()),
        certificates: held.map((status) => ({
          ...status,
          proxies: [...proxies.values()].filter((p) => sameNames(p.wanted, status)).map(({ node }) => `${node.name}.${node.namespace}`),
        })),
        problems: [...proxies.values()].flatMap(({ node, problems }) =>
          problems.map((problem) => ({ proxy: `${node.name}.${node.namespace}`, ...problem })),
        ),
      };
    },
    close() {
      closed = true;
      files.close();
      certificates?.close();
    },
  };
}

/** Whether the workload's certificate or the roots are asked for and not there. */
const lacksOwn = ({ names }: ProxySecrets, secrets: readonly SecretJson[]): boolean =>
  OWN.some((own) => names.includes(own) && !secrets.some(({ name }) => name === own));

function rootsOfBoth(before: string, now: string): string {
  return [...new Set(readCertificates(before + now).map(({ pem }) => pem))].join('');
}

const named = (mesh: Mesh, kind: string): [string, Resource<Secret>][] =>
  mesh.ofKind<Secret>(kind).map((r) => [`${kind} ${r.metadata.namespace}/${r.metadata.name}`, r]);

const sameNames = (a: WantedCertificate, b: WantedCertificate): boolean =>
  a.identity === b.identity && a.dnsNames.join() === b.dnsNames.join();

function unique(wanted: readonly WantedCertificate[]): WantedCertificate[] {
  return wanted.filter((one, i) => wanted.findIndex((other) => sameNames(one, other)) === i);
}
