/** systemd's own programs: on this host, or on a root that is prepared for another one. */
import { spawnSync } from 'node:child_process';
import { FairleadError } from '../../errors.ts';

export interface Systemd {
  /** Makes the user and the directories, lets the units start with the host, and (on this host) starts them. */
  enable(units: readonly string[]): void;
  /** (On this host) ends the units, and has them not start again. */
  disable(units: readonly string[]): void;
  /** (On this host) takes changed units; agents hand their proxies over to the new ones. */
  restart(units: readonly string[]): void;
}

/** @param root `/` for this host @param say told each command */
export function createSystemd(root: string, say: (line: string) => void): Systemd {
  const here = root === '/';
  const at = here ? [] : [`--root=${root}`];
  const run = (program: string, ...args: string[]): void => {
    say(`${program} ${args.join(' ')}`);
    const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 120_000 });
    if (status === 0) return;
    const missing = (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
    throw new FairleadError(
      'E_INSTALL_REFUSED',
      `${program} ${missing ? 'is not on this machine' : `failed: ${stderr?.trim().split('\n').at(-1) || error?.message}`}`,
      {
        next: missing ? 'This target needs systemd.' : 'The files were written; `fairlead upgrade --target systemd` goes on from here.',
      },
    );
  };
  return {
    enable(units) {
      run('systemd-sysusers', ...at);
      run('systemd-tmpfiles', ...at, '--create', '--prefix=/etc/fairlead');
      if (here) run('systemctl', 'daemon-reload');
      if (units.length > 0) run('systemctl', ...at, 'enable', ...(here ? ['--now'] : []), ...units);
    },
    disable(units) {
      if (units.length > 0) run('systemctl', ...at, 'disable', ...(here ? ['--now'] : []), ...units);
      if (here) run('systemctl', 'daemon-reload');
    },
    restart(units) {
      if (!here) return;
      for (const unit of units) {
        if (unit === 'fairlead-agent.service') run('systemctl', 'kill', '--kill-whom=main', '--signal=SIGUSR2', unit);
        else run('systemctl', 'restart', unit);
      }
    },
  };
}
