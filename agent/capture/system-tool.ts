/** Programs of the system that change the network of the host or pod. */
import { spawn } from 'node:child_process';
import { FairleadError } from '../../src/errors.ts';

export interface SystemTool {
  program: 'nft' | 'ip';
  /** Debian's and most others'. */
  package: string;
}

const NEEDS = 'It takes root, or the capability CAP_NET_ADMIN, in the network namespace that is meant.';

/** Runs it to its end, with `input` on standard input. Throws E_CAPTURE_FAILED: it is not there, not allowed, or says no. */
export async function runTool(tool: SystemTool, args: readonly string[], input = ''): Promise<void> {
  const { code, said } = await outcome(tool, args, input);
  if (code === 0) return;
  if (/operation not permitted|permission denied|must be root/i.test(said))
    throw new FairleadError('E_CAPTURE_FAILED', `${tool.program} may not change the rules of the network`, { next: NEEDS });
  const why =
    said
      .trim()
      .split('\n')
      .find((line) => /error/i.test(line)) ??
    said.trim().split('\n').at(-1) ??
    '';
  throw new FairleadError('E_CAPTURE_FAILED', `${tool.program} ends with ${code}: ${why || 'it says nothing'}`, {
    next: 'The kernel must know nftables with NAT (Linux 5.2 or later; nft_nat, nft_redir), and IPv6 where it is on.',
  });
}

function outcome(
  { program, package: from }: SystemTool,
  args: readonly string[],
  input: string,
): Promise<{ code: number | string; said: string }> {
  return new Promise((resolve, reject) => {
    // Users' paths have no administrators' programs.
    const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'], env });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT';
      reject(
        new FairleadError('E_CAPTURE_FAILED', missing ? `${program} is not there` : `${program} cannot be run: ${error.message}`, {
          next: `Install it: the package is ${from} in most distributions.`,
          cause: error,
        }),
      );
    });
    child.on('close', (code, signal) => resolve({ code: code ?? signal ?? 'no code', said }));
    // One that ends before it has read all says so by its code.
    child.stdin.on('error', () => undefined).end(input);
  });
}
