/** `fairlead bug-report`: everything that somebody needs who looks into a mesh from afar, and no secret. */
import { type Archive, createArchive } from './report/archive.ts';
import type { ClusterPlanOptions } from './report/cluster-plan.ts';
import type { HostPlanOptions } from './report/host-plan.ts';
import { type ReportManifest, runReport } from './report/run-report.ts';
import type { LeftOut } from './report/types.ts';

export interface BugReportOptions {
  readonly of: { readonly host: HostPlanOptions } | { readonly cluster: ClusterPlanOptions };
  /** undefined: only what would go in is told. */
  readonly output: { readonly path: string; readonly maxSize: number } | undefined;
  readonly version: string;
  readonly command: readonly string[];
  readonly signal: AbortSignal;
  progress?(done: number, of: number): void;
}

export interface BugReport {
  /** undefined: nothing was written. */
  readonly path: string | undefined;
  /** Of the archive, in bytes. */
  readonly size: number;
  readonly files: readonly { readonly path: string; readonly what: string; readonly bytes?: number; readonly note?: string }[];
  readonly leftOut: readonly LeftOut[];
  readonly notes: readonly string[];
  /** How many secrets were taken out. */
  readonly redacted: number;
}

/**
 * Makes a report. The archive is there whole, or not at all: also when the signal comes. Throws E_FILE_UNWRITABLE, and of a cluster
 * E_KUBECONFIG, E_CLUSTER_UNREACHABLE, E_CLUSTER_UNAUTHORIZED; the signal's reason when that ends it.
 */
export async function bugReport(options: BugReportOptions): Promise<BugReport> {
  const { of, output, signal, version, command } = options;
  const madeAt = new Date();
  // Before anything is collected: a report that cannot be written is not worth waiting for.
  const archive = output && createArchive({ path: output.path, maxSize: output.maxSize, folder: folderOf(madeAt), mtime: madeAt });
  try {
    // Either is loaded alone: a host's report needs nothing of the Kubernetes client.
    const plan =
      'host' in of
        ? await (await import('./report/host-plan.ts')).hostPlan(of.host, signal)
        : await (await import('./report/cluster-plan.ts')).clusterPlan(of.cluster, signal);
    signal.throwIfAborted();
    if (archive === undefined)
      return {
        path: undefined,
        size: 0,
        files: plan.items.map(({ path, what }) => ({ path, what })),
        leftOut: plan.leftOut,
        notes: plan.notes,
        redacted: 0,
      };
    const progress = options.progress && { progress: options.progress };
    const manifest = await runReport(plan, archive, { version, madeAt, command, signal, ...progress });
    return reportOf(archive, manifest);
  } catch (error) {
    // What was aborted fails in many ways; that it was is what counts.
    signal.throwIfAborted();
    throw error;
  } finally {
    archive?.discard();
  }
}

function reportOf(archive: Archive, { files, leftOut, notes, redacted }: ReportManifest): BugReport {
  return { path: archive.path, size: archive.size(), files, leftOut, notes, redacted };
}

/** `fairlead-bug-report-20260521-143000`, in UTC. */
export function folderOf(at: Date): string {
  return `fairlead-bug-report-${at.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15)}`;
}
