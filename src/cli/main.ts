/** Where every command line starts. The only place that turns an error into words and an exit code. */

/**
 * Runs one command line. Sets `process.exitCode`, never calls `process.exit`.
 * @param argv without node and script
 */
export async function main(argv: string[]): Promise<void> {
  if (process.env['NO_COLOR'] || argv.includes('--no-color')) process.env['FORCE_COLOR'] = '0';
  process.stdout.on('error', readerGone);
  process.stderr.on('error', readerGone);
  try {
    const { runOclif } = await import('./run-oclif.ts');
    await runOclif(argv);
  } catch (error) {
    const { reportError } = await import('./report-error.ts');
    process.exitCode = await reportError(error, argv);
  }
}

/** Whoever read the output has left (`fairlead schema | head -1`): nothing to say, and a command that runs on comes to its orderly end. */
function readerGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  if (process.listenerCount('SIGTERM') > 0) process.kill(process.pid, 'SIGTERM');
}
