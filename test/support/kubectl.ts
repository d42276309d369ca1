/** kubectl as its users have it: KUBECTL_PATH, or in the path. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** The binary, or why there is none. In CI there must be one: throws there. */
export function kubectl(): string | { missing: string } {
  const named = process.env['KUBECTL_PATH'] ?? 'kubectl';
  if (spawnSync(named, ['version', '--client']).status === 0) return named;
  const missing = `${named} is not there; KUBECTL_PATH names one`;
  if (process.env['CI']) throw new Error(`CI needs kubectl: ${missing}`);
  return { missing };
}

/** Runs it on the cluster of a kubeconfig; what it keeps is in `folder`. */
export function runKubectl(
  program: string,
  { kubeconfig, folder }: { kubeconfig: string; folder: string },
  ...args: string[]
): { code: number | null; out: string; err: string } {
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, KUBECONFIG: kubeconfig, KUBECACHEDIR: join(folder, 'kubectl') };
  const { status, stdout, stderr } = spawnSync(program, args, { env, encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}
