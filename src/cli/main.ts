/** Where every command line starts. The only place that turns an error into words and an exit code. */
import { holdSignals } from './held-signals.ts';
import { readerGone } from './reader-gone.ts';
import { settleUnknownUser } from './unknown-user.ts';

/**
 * Runs one command line. Sets `process.exitCode`, never calls `process.exit`.
 * @param argv without node and script
 */
export async function main(argv: string[]): Promise<void> {
  if (process.env['NO_COLOR'] || argv.includes('--no-color')) process.env['FORCE_COLOR'] = '0';
  settleUnknownUser(process.env);
  holdSignals(argv);
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
