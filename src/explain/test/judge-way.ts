import { parseDuration } from '../../config/duration.ts';
import { parseClusterName } from '../../envoy/names.ts';
import { clusterText } from '../cluster-text.ts';
import { shownDuration } from '../duration.ts';
import { percent } from '../percent.ts';
import type { Mirror, Outcome } from '../types.ts';
import { each } from './judge-answer.ts';
import { endsText, type Judged } from './judged.ts';
import { isTarget, targetText } from './target.ts';
import type { Expectation, MirrorTarget } from './types.ts';

/** What is laid down about the way: faults, timeouts, retries, mirrors. */
export function judgeWay(judged: Judged, { fault, timeout, retries, mirror }: Expectation): void {
  if (fault !== undefined) judgeFault(judged, fault === 'none' ? {} : fault);
  const sent = judged.unfaulted.filter((o) => o.timeouts !== undefined);
  if (timeout !== undefined) duration(judged, sent, ['timeout'], timeout, (o) => o.timeouts?.total ?? 0);
  if (retries !== undefined) judgeRetries(judged, sent, retries === 'none' ? { attempts: 0 } : retries);
  if (mirror !== undefined) judgeMirrors(judged, sent, mirror === 'none' ? [] : Array.isArray(mirror) ? mirror : [mirror as MirrorTarget]);
}

type Path = Judged['mismatches'][number]['path'];

const shownTime = (ms: number): string => (ms === 0 ? 'none' : shownDuration(ms));

function duration(judged: Judged, of: readonly Outcome[], path: Path, expected: string, actual: (outcome: Outcome) => number): void {
  const ms = parseDuration(expected) ?? 0;
  each(
    judged,
    of,
    path,
    shownTime(ms),
    (o) => actual(o) === ms,
    (o) => shownTime(actual(o)),
  );
}

/** Fractions in Envoy are millionths. */
const sameShare = (a: number, b: number): boolean => Math.abs(a - b) < 0.000_001;

function judgeFault({ outcomes, mismatches }: Judged, { delay, abort }: Exclude<Expectation['fault'], 'none' | undefined>): void {
  const delayed = outcomes.find((o) => o.delay !== undefined)?.delay;
  const wanted = delay && { ms: parseDuration(delay.duration) ?? 0, share: (delay.percent ?? 100) / 100 };
  const delayText = (of: typeof delayed): string => (of === undefined ? 'none' : `${shownDuration(of.ms)} for ${percent(of.share)}`);
  if (wanted?.ms !== delayed?.ms || !sameShare(wanted?.share ?? 0, delayed?.share ?? 0))
    mismatches.push({
      path: ['fault', ...(delay ? ['delay'] : [])],
      expected: `delay: ${delayText(wanted)}`,
      actual: `delay: ${delayText(delayed)}`,
    });
  const aborted = outcomes.filter((o) => o.type === 'aborted');
  const share = aborted.reduce((n, o) => n + o.share, 0);
  const actual =
    aborted.length === 0
      ? 'none'
      : `${aborted[0]!.grpcStatus === undefined ? aborted[0]!.status : `gRPC status ${aborted[0]!.grpcStatus}`} for ${percent(share)}`;
  const status = abort?.status ?? (abort?.grpcStatus === undefined ? undefined : `gRPC status ${abort.grpcStatus}`);
  const expected = abort === undefined ? 'none' : `${status ?? 'any status'} for ${percent((abort.percent ?? 100) / 100)}`;
  const right =
    sameShare(share, abort === undefined ? 0 : (abort.percent ?? 100) / 100) &&
    aborted.every(
      (o) =>
        (abort?.status === undefined || o.status === abort.status) &&
        (abort?.grpcStatus === undefined || o.grpcStatus === abort.grpcStatus),
    );
  if (!right) mismatches.push({ path: ['fault', ...(abort ? ['abort'] : [])], expected: `abort: ${expected}`, actual: `abort: ${actual}` });
}

function judgeRetries(
  judged: Judged,
  of: readonly Outcome[],
  { attempts, retryOn, statusCodes, perTryTimeout }: Exclude<Expectation['retries'], 'none' | undefined>,
): void {
  if (attempts !== undefined)
    each(
      judged,
      of,
      ['retries', 'attempts'],
      `up to ${attempts}`,
      (o) => (o.retries?.attempts ?? 0) === attempts,
      (o) => `up to ${o.retries?.attempts ?? 0}`,
    );
  // RetryPolicy.retry_on is a list of words; statuses among them are Istio's way to write retriable_status_codes.
  const words = (retryOn === undefined ? [] : typeof retryOn === 'string' ? [retryOn] : retryOn)
    .flatMap((text) => text.split(','))
    .map((word) => word.trim());
  const has = (o: Outcome, word: string): boolean =>
    /^\d{3}$/.test(word) ? (o.retries?.statusCodes ?? []).includes(Number(word)) : (o.retries?.on ?? []).includes(word);
  if (words.length > 0)
    each(
      judged,
      of,
      ['retries', 'retryOn'],
      words.join(', '),
      (o) => words.every((word) => has(o, word)),
      (o) => [...(o.retries?.on ?? []), ...(o.retries?.statusCodes ?? [])].join(', ') || 'nothing',
    );
  if (statusCodes !== undefined) {
    const sorted = (codes: readonly number[]): string => [...codes].sort((a, b) => a - b).join(', ');
    each(
      judged,
      of,
      ['retries', 'statusCodes'],
      sorted(statusCodes) || 'none',
      (o) => sorted(o.retries?.statusCodes ?? []) === sorted(statusCodes),
      (o) => sorted(o.retries?.statusCodes ?? []) || 'none',
    );
  }
  if (perTryTimeout !== undefined) duration(judged, of, ['retries', 'perTryTimeout'], perTryTimeout, (o) => o.retries?.perTryTimeout ?? 0);
}

function judgeMirrors({ mismatches, outcomes }: Judged, of: readonly Outcome[], wanted: readonly MirrorTarget[]): void {
  const isMirror = (target: MirrorTarget, { cluster, share }: Mirror): boolean => {
    const parsed = parseClusterName(cluster);
    const to = parsed === undefined ? {} : { service: parsed.host, port: parsed.port, subset: parsed.subset };
    return isTarget(target, to) && (target.percent === undefined || sameShare(share, target.percent / 100));
  };
  const right = (o: Outcome): boolean =>
    o.mirrors.length === wanted.length && wanted.every((target) => o.mirrors.some((m) => isMirror(target, m)));
  if ((of.length > 0 && of.every(right)) || (of.length === 0 && wanted.length === 0)) return;
  const expected =
    wanted.map((t) => `${t.percent === undefined ? '' : `${percent(t.percent / 100)} to `}${targetText(t)}`).join(', ') || 'none';
  const wrong = of.find((o) => !right(o));
  const actual =
    wrong === undefined
      ? endsText(outcomes)
      : wrong.mirrors.map((m) => `${percent(m.share)} to ${clusterText(m.cluster)}`).join(', ') || 'none';
  mismatches.push({ path: ['mirror'], expected, actual });
}
