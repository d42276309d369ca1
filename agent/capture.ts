/** Puts the rules of capture into the kernel, and takes them out again. */
import { readFileSync } from 'node:fs';
import { inboundSource } from '../src/envoy/clusters/fixed.ts';
import { FairleadError } from '../src/errors.ts';
import { removal, ruleset } from '../src/install/capture/ruleset.ts';
import type { CaptureSettings } from '../src/install/capture/settings.ts';
import { runTool, type SystemTool } from './capture/system-tool.ts';

const NFT: SystemTool = { program: 'nft', package: 'nftables' };
const IP: SystemTool = { program: 'ip', package: 'iproute2' };

/**
 * Captures from now on, in place of what an earlier call has set up: all rules of it or, when something is wrong, none. `check`: only asks
 * the kernel whether it would take them. Throws E_CAPTURE_FAILED.
 */
export async function applyCapture(settings: CaptureSettings, { check }: { check: boolean } = { check: false }): Promise<void> {
  onLinux();
  const text = ruleset(settings);
  if (check) return runTool(NFT, ['--check', '--file', '-'], text);
  // Before the rules: connections that they lead to the proxy go on from this address.
  if (hasIpv6()) await runTool(IP, ['-6', 'address', 'replace', `${inboundSource.ipv6}/128`, 'dev', 'lo']);
  return runTool(NFT, ['--file', '-'], text);
}

/** Takes away what `applyCapture` has set up, or nothing where there is nothing. Throws E_CAPTURE_FAILED. */
export async function removeCapture({ check }: { check: boolean } = { check: false }): Promise<void> {
  onLinux();
  await runTool(NFT, check ? ['--check', '--file', '-'] : ['--file', '-'], removal());
  if (!check && ownsIpv6Source()) await runTool(IP, ['-6', 'address', 'delete', `${inboundSource.ipv6}/128`, 'dev', 'lo']);
}

function onLinux(): void {
  if (process.platform === 'linux') return;
  throw new FairleadError('E_CAPTURE_FAILED', `connections are captured on Linux alone, and this is ${process.platform}`, {
    next: 'Elsewhere applications name the proxy: HTTP_PROXY, or the ports of a Sidecar’s egress listeners.',
  });
}

const hasIpv6 = (): boolean => read('/proc/sys/net/ipv6/conf/lo/disable_ipv6') === '0';

/** Each line is an address in hexadecimal, four numbers and the device. */
const ownsIpv6Source = (): boolean =>
  (read('/proc/self/net/if_inet6') ?? '').split('\n').some((line) => line.startsWith(`${'0'.repeat(31)}6 `) && line.endsWith(' lo'));

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}
