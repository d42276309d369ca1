/** Conditions that a step of a shift must keep: `errors<1%`, `p99<300ms`. */
import { parseDuration } from '../config/duration.ts';
import { FairleadError } from '../errors.ts';

export interface Gate {
  /** As it was typed. */
  text: string;
  measure: { kind: 'errors' } | { kind: 'percentile'; percentile: number };
  inclusive: boolean;
  /** A share of 1, or milliseconds. */
  limit: number;
}

/** One request to what traffic is moved to. */
export interface Sample {
  failed: boolean;
  /** Milliseconds. */
  duration: number;
}

const GATE = /^(errors|p(\d{1,2}(?:\.\d+)?))\s*(<=?)\s*([0-9.]+)(%|[a-z]+)$/i;

/** Reads one gate. Throws E_USAGE. */
export function parseGate(text: string): Gate {
  const [, what = '', percentile, operator, number = '', unit = ''] = GATE.exec(text.trim()) ?? [];
  const inclusive = operator === '<=';
  if (what.toLowerCase() === 'errors' && unit === '%' && Number(number) <= 100)
    return { text, measure: { kind: 'errors' }, inclusive, limit: Number(number) / 100 };
  const limit = percentile === undefined ? undefined : parseDuration(`${number}${unit}`);
  if (percentile !== undefined && limit !== undefined && limit > 0)
    return { text, measure: { kind: 'percentile', percentile: Number(percentile) / 100 }, inclusive, limit };
  throw new FairleadError('E_USAGE', `${JSON.stringify(text)} is not a gate`, { next: "Write 'errors<1%', 'p99<300ms' or 'p50<=20ms'." });
}

/** What a gate says of the requests so far. */
export interface Reading {
  gate: Gate;
  /** In the gate's unit; undefined without requests. */
  value: number | undefined;
  holds: boolean;
  /** `0.4 %`, `31 ms`. */
  shown: string;
}

export function readGate(gate: Gate, samples: readonly Sample[]): Reading {
  const value = samples.length === 0 ? undefined : measured(gate, samples);
  const holds = value === undefined || value < gate.limit || (gate.inclusive && value === gate.limit);
  return { gate, value, holds, shown: value === undefined ? '-' : shownValue(gate, value) };
}

function measured({ measure }: Gate, samples: readonly Sample[]): number {
  if (measure.kind === 'errors') return samples.filter((sample) => sample.failed).length / samples.length;
  // The nearest rank: the smallest duration that so many requests do not exceed.
  const durations = samples.map((sample) => sample.duration).sort((a, b) => a - b);
  return durations[Math.max(0, Math.ceil(measure.percentile * durations.length) - 1)] as number;
}

function shownValue({ measure }: Gate, value: number): string {
  return measure.kind === 'errors' ? `${Math.round(value * 10_000) / 100} %` : `${Math.round(value)} ms`;
}

/** What was measured, with its name: `errors 0.4 %`. */
export function describeReading({ gate: { measure }, shown }: Reading): string {
  return `${measure.kind === 'errors' ? 'errors' : `p${measure.percentile * 100}`} ${shown}`;
}
