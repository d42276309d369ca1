import { userInfo } from 'node:os';

/**
 * Gives a user whom the system does not list, as in most containers, what a container runtime gives them: a home and a shell. Without an
 * entry Node's `homedir` and `userInfo` throw, which oclif asks for the name of the shell.
 */
export function settleUnknownUser(env: NodeJS.ProcessEnv): void {
  if (env['HOME'] && env['SHELL']) return;
  try {
    userInfo();
  } catch {
    env['HOME'] ||= '/';
    env['SHELL'] ||= '/bin/sh';
  }
}
