/**
 * The start of a command line that runs the rest as somebody else, who may read all that root may: what tests use may be in root's home, where
 * a container's image would not have it.
 */
export function asUser(id: number): string[] {
  const ids = ['--reuid', String(id), '--regid', String(id), '--clear-groups'];
  return ['setpriv', ...ids, '--inh-caps', '+dac_read_search', '--ambient-caps', '+dac_read_search'];
}
