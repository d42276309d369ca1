/** A CA that answers: on a Unix socket for whoever owns the directory, and with TLS and client certificates on connections that it is given. */
import { chmodSync, rmSync, watch } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import { isIP, type Socket } from 'node:net';
import { join } from 'node:path';
import { FairleadError } from '../../src/errors.ts';
import { generateKey, keyToPem, publicKeyInfo } from '../../src/pki/keys.ts';
import type { Log } from '../log.ts';
import { SERVER_LIMITS } from '../server-limits.ts';
import { createCaApi } from './api.ts';
import { type AuditLog, openAudit } from './audit.ts';
import { caIdentity } from './ca-identity.ts';
import { createCallers } from './callers.ts';
import type { CaCluster } from './cluster.ts';
import { readState, takeLock, unusable } from './directory.ts';
import { createHandler } from './http-handler.ts';
import { issueCertificate } from './issue.ts';
import { createLiveIssuer, type Live } from './live-issuer.ts';
import type { PolicyRule } from './policy.ts';
import { patternOf } from './policy-of.ts';
import { createRateLimit } from './rate-limit.ts';
import { openRegistry } from './registry.ts';
import { beginTerm } from './shared/reserve.ts';

export interface ServeOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Further names and addresses that clients use. */
  names: readonly string[];
  passphrase: string | undefined;
  /** Host names that service accounts may have in their certificates, besides what the policy allows. */
  hostNames?: readonly AllowedHost[] | undefined;
  /** The cluster that it serves; closed with it. */
  cluster?: CaCluster | undefined;
  log: Log;
}

/** `*` stands for anything within a segment. */
export interface AllowedHost {
  namespace: string;
  account: string;
  dnsName: string;
}

export interface OpenCa {
  /** Not listening. */
  readonly server: Http2SecureServer;
  readonly socket: string;
  /** Begins what is done for the options' cluster, until it is closed. */
  begin(): void;
  /** Ends connections, too. */
  close(): Promise<void>;
}

/** Of several pods that are one CA, the one that leads. */
export interface Leading {
  /** Folder that has what all pods know. */
  served: string;
  /** By the clock: nothing is signed by one who does not lead any more. */
  isHeld(): boolean;
}

const AUDIT_SYNC_MS = 1000;
const RENEW_MS = 6 * 3_600_000;
/** Of the path of a Unix socket. */
const LONGEST_SOCKET = 103;

/** Throws E_CA_MISSING, E_CA_KEY, E_CA_POLICY, E_CA_BUSY while another one serves, E_CA_DIRECTORY. */
export async function openCa(directory: string, options: ServeOptions, leading?: Leading): Promise<OpenCa> {
  const served = leading?.served ?? directory;
  readState(served);
  const unlock = await takeLock(directory, 'serve.lock', 0);
  const closers: (() => unknown)[] = [unlock];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const audit = leading ? tell(openAudit(directory, AUDIT_SYNC_MS), options.log) : openAudit(directory, AUDIT_SYNC_MS);
    closers.push(() => audit.close());
    const now = createLiveIssuer(served, options.passphrase, audit, options.log, (trustDomain) =>
      (options.hostNames ?? []).map((allowed) => ruleOf(allowed, trustDomain)),
    );
    const live = leading ? fenced(now, leading) : now;
    const registry = openRegistry(directory);
    closers.push(() => registry.close());
    live();
    const reserve = leading && beginTerm(directory, audit);
    const signing = { live, limits: createRateLimit(), reserve, audit };
    const callers = createCallers(directory, live, options.cluster);
    const deps = { api: createCaApi(directory, signing, registry), callers, log: options.log };
    const socket = join(directory, 'ca.sock');
    closers.push(await listenOnSocket(directory, socket, createServer(SERVER_LIMITS, createHandler({ ...deps, hosts: undefined }, false))));

    const names = [...new Set(['localhost', '127.0.0.1', '::1', ...(isWildcard(options.host) ? [] : [options.host]), ...options.names])];
    const hosts = new Set(names.map((name) => (isIP(name) === 6 ? `[${name}]` : name.toLowerCase())));
    const server = createSecureServer({
      allowHTTP1: true,
      minVersion: 'TLSv1.2',
      handshakeTimeout: 10_000,
      // Joining needs a token instead of a certificate; whoever shows one is verified at each request.
      requestCert: true,
      rejectUnauthorized: false,
      settings: { maxConcurrentStreams: 100 },
      ...(await credentials(live(), names)),
    });
    server.on('request', createHandler({ ...deps, hosts }, true));
    server.on('tlsClientError', () => undefined);
    server.on('sessionError', () => undefined);
    server.setTimeout(60_000);
    closers.push(endingConnections(server));
    closers.push(keepFresh(served, live, server, names, options.log));
    const begin = (): void => {
      if (options.cluster) closers.push(options.cluster.serve(signing, options.log));
    };
    return { server, socket, begin, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Pods' files end with them, what they have logged does not. */
function tell(audit: AuditLog, log: Log): AuditLog {
  return {
    ...audit,
    append(entry) {
      audit.append(entry);
      log.info('audit', { entry });
    },
  };
}

function fenced(live: () => Live, { isHeld }: Leading): () => Live {
  return () => {
    if (isHeld()) return live();
    throw new FairleadError('E_CA_BUSY', 'another pod leads this certificate authority now');
  };
}

function endingConnections(server: Http2SecureServer): () => void {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}

function ruleOf({ namespace, account, dnsName }: AllowedHost, trustDomain: string): PolicyRule {
  const who = [patternOf(`spiffe://${trustDomain}/ns/${namespace}/sa/${account}`)];
  return { callers: who, identities: who, dnsNames: [patternOf(dnsName)], maxLifeMs: undefined };
}

const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::';

/** The server's own certificate, and the roots that clients' are offered against. */
async function credentials(live: Live, names: readonly string[]) {
  const key = await generateKey('ec-p256');
  const issued = issueCertificate(
    live,
    { name: 'local', by: 'local' },
    {
      identity: caIdentity(live.state.trustDomain),
      request: { publicKey: key, publicKeyInfo: publicKeyInfo(key) },
      dnsNames: names.filter((name) => isIP(name) === 0),
      addresses: names.filter((name) => isIP(name) !== 0),
      lifeMs: undefined,
    },
    new Date(),
  );
  return { key: keyToPem(key), cert: issued.chain, ca: live.rootsPem };
}

/** Takes changed files at once, and a new certificate in time. */
function keepFresh(directory: string, live: () => Live, server: Http2SecureServer, names: readonly string[], log: Log): () => void {
  let generation = live().generation;
  const refresh = async (force: boolean): Promise<void> => {
    const now = live();
    if (!force && now.generation === generation) return;
    generation = now.generation;
    server.setSecureContext({ minVersion: 'TLSv1.2', ...(await credentials(now, names)) });
  };
  const safely = (force: boolean) =>
    refresh(force).catch((error: Error) => log.error('no new certificate for the CA itself', { why: error.message }));
  const watcher = watch(directory, (_event, name) => {
    if (name === 'state.json' || name === 'policy.yaml') void safely(false);
  });
  watcher.on('error', (error) => log.warning('the CA’s directory is no longer watched', { why: error.message }));
  // Half of what a certificate may be short of lives; short-lived policies renew sooner.
  const life = Math.min(live().policy.defaultLifeMs / 2, RENEW_MS);
  const timer = setInterval(() => void safely(true), Math.max(life, 1000)).unref();
  return () => {
    watcher.close();
    clearInterval(timer);
  };
}

async function listenOnSocket(directory: string, socket: string, server: Server): Promise<() => Promise<void>> {
  if (Buffer.byteLength(socket) > LONGEST_SOCKET)
    throw new FairleadError('E_CA_DIRECTORY', `${socket} is too long for a Unix socket`, { next: 'Give a directory with a shorter path.' });
  rmSync(socket, { force: true });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(socket, resolve);
    });
    chmodSync(socket, 0o600);
  } catch (error) {
    throw unusable(directory, error);
  }
  return () => closing(server, () => server.closeAllConnections());
}

export function closing(server: Server | Http2SecureServer, disconnect: () => void): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    disconnect();
  });
}
