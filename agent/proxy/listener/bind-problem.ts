import type { Problem } from '../../../src/errors.ts';

/** Why a listener could not bind its address, and what to do about it. */
export function bindProblem(listener: { name: string; address: { text: string } }, error: NodeJS.ErrnoException): Problem {
  const at = `listener ${listener.name}: cannot listen on ${listener.address.text}`;
  const base = { severity: 'error', origin: `listener ${listener.name}`, path: 'address' } as const;
  switch (error.code) {
    case 'EADDRINUSE':
      return {
        ...base,
        rule: 'listener/port-in-use',
        message: `${at}: another process uses it`,
        hint: 'stop that process, or choose another port',
      };
    case 'EACCES':
      return {
        ...base,
        rule: 'listener/port-forbidden',
        message: `${at}: this user may not`,
        hint: 'ports below 1024 need privileges; choose a higher one',
      };
    case 'EADDRNOTAVAIL':
      return { ...base, rule: 'listener/no-such-address', message: `${at}: this machine does not have the address` };
    default:
      return { ...base, rule: 'listener/bind-failed', message: `${at}: ${error.message}` };
  }
}
