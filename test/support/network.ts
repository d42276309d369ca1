/** A network of its own for tests: hosts that are network namespaces on one wire. Everything of it ends with its processes. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asUser } from './as-user.ts';
import { realNft } from './nft.ts';

/** Who runs something: the administrator, an application, or the proxy, which may also read what is the administrator's. */
export type Who = 'root' | 'app' | 'proxy';

export interface Host {
  readonly name: string;
  readonly v4: string;
  readonly v6: string;
  /** Runs a program to its end. */
  run(who: Who, program: string, ...args: string[]): { code: number | null; out: string; err: string };
  /** Starts one that goes on; it is killed when the network is closed. */
  start(who: Who, program: string, ...args: string[]): ChildProcess;
}

export interface Network {
  /** On the wire, in no mesh: the others' way out. */
  readonly outside: Host;
  /** Another host, with an address of each family unless it is said. */
  add(name: string, options?: { ipv6?: boolean; ipv4?: boolean }): Promise<Host>;
  /** A line of /etc/hosts on all hosts that come after it. */
  name(address: string, ...names: string[]): void;
  close(): Promise<void>;
}

export const APP_USER = 2000;
export const PROXY_USER = 10_001;

/** Why no such network can be had; undefined when it can. In CI it must be: throws there. */
export function networkMissing(): string | undefined {
  const why = whyMissing();
  if (why !== undefined && process.env['CI']) throw new Error(`CI needs network namespaces with nftables: ${why}`);
  return why;
}

function whyMissing(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are Linux’s';
  if (process.getuid?.() !== 0) return 'network namespaces are made by root';
  for (const program of ['unshare', 'nsenter', 'setpriv', 'ip'])
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) return `${program} is not there (util-linux, iproute2)`;
  const nft = realNft();
  if (typeof nft !== 'string') return nft.missing;
  const rules = 'table inet x { chain o { type nat hook output priority -100; meta l4proto tcp redirect to :1; }; }';
  const tried = spawnSync('unshare', ['--net', '--mount', 'nft', rules], { env: withNft(nft), encoding: 'utf8' });
  return tried.status === 0 ? undefined : `the kernel takes no rules of nftables: ${tried.stderr?.trim().split('\n')[0]}`;
}

const withNft = (folder: string): NodeJS.ProcessEnv => ({ ...process.env, PATH: `${folder}:${process.env['PATH']}:/usr/sbin:/sbin` });

/** Throws when something of it cannot be made. */
export async function startNetwork(): Promise<Network> {
  const nft = realNft();
  if (typeof nft !== 'string') throw new Error(nft.missing);
  const env = withNft(nft);
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-network-'));
  const children: ChildProcess[] = [];
  /** Of the processes that keep the hosts there. */
  const pids: number[] = [];
  const lines = ['127.0.0.1 localhost', '::1 localhost'];
  let count = 0;

  function entered(pid: number, who: Who): string[] {
    const as = who === 'root' ? [] : asUser(who === 'app' ? APP_USER : PROXY_USER);
    return ['nsenter', `--target=${pid}`, '--net', '--mount', ...as];
  }

  async function host(name: string, v4: string, v6: string, setUp: string): Promise<Host> {
    const hosts = join(folder, `hosts-${name}`);
    writeFileSync(hosts, `${lines.join('\n')}\n`, { mode: 0o644 });
    const script = `mount --bind ${hosts} /etc/hosts && ip link set lo up && ${setUp} && echo ready && exec sleep 100000`;
    const child = spawn('unshare', ['--net', '--mount', 'sh', '-c', script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => Promise.reject(new Error(`no host ${name}`)))]);
    const pid = child.pid as number;
    pids.push(pid);
    return {
      name,
      v4,
      v6,
      run(who, program, ...args) {
        const [first = '', ...rest] = [...entered(pid, who), program, ...args];
        const { status, stdout, stderr } = spawnSync(first, rest, { env, encoding: 'utf8', timeout: 60_000 });
        return { code: status, out: stdout, err: stderr };
      },
      start(who, program, ...args) {
        const [first = '', ...rest] = [...entered(pid, who), program, ...args];
        const started = spawn(first, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] });
        children.push(started);
        return started;
      },
    };
  }

  const bridge =
    'ip link add wire type bridge && ip link set wire up && ip addr add 10.77.0.1/24 dev wire && ip addr add fd77::1/64 dev wire nodad';
  const outside = await host('outside', '10.77.0.1', 'fd77::1', bridge);
  const outsidePid = children[0]?.pid as number;
  return {
    outside,
    name: (address, ...names) => void lines.push([address, ...names].join(' ')),
    async add(name, { ipv4 = true, ipv6 = true } = {}) {
      count += 1;
      const [v4, v6] = [`10.77.0.${count + 1}`, `fd77::${count + 1}`];
      const set = [
        `ip link add eth0 type veth peer name wire${count} netns ${outsidePid}`,
        'ip link set eth0 up',
        `nsenter --target=${outsidePid} --net ip link set wire${count} up master wire`,
        ...(ipv4 ? [`ip addr add ${v4}/24 dev eth0`, 'ip route add default via 10.77.0.1'] : []),
        ...(ipv6 ? [`ip addr add ${v6}/64 dev eth0 nodad`, 'ip -6 route add default via fd77::1'] : []),
      ];
      return host(name, v4, v6, set.join(' && '));
    },
    async close() {
      // Data planes outlive their agents.
      for (const pid of pids.flatMap(sharesNetworkWith)) kill(pid);
      for (const child of children.reverse()) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Everything that was started on a host, whoever its parent is. Nobody else is in a namespace that a test has made. */
function sharesNetworkWith(pid: number): number[] {
  const network = networkOf(pid);
  const all = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
  return network === undefined ? [] : all.filter((other) => networkOf(other) === network);
}

function networkOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
