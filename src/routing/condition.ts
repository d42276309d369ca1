import type { RouteRequest } from './request.ts';

/** One compiled predicate of a match. The same object decides on the hot path and explains itself. */
export interface Condition {
  /** The field below `match`: `headers[0]`. */
  readonly field: string;
  test(request: RouteRequest): boolean;
  /** What is asked for: `header x-user is "jason"`. */
  describe(): string;
  /** What the request has: `"bob"`, or `absent`. */
  actual(request: RouteRequest): string;
}

/** A value for people: quoted, or `absent`. */
export function shown(values: readonly string[]): string {
  return values.length === 0 ? 'absent' : values.map((value) => JSON.stringify(value)).join(' and ');
}
