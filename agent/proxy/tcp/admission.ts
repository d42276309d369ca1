import type { ConnectionInfo } from '../listener/connection.ts';

/** Why a connection is closed before, or while, an upstream is joined. */
export interface Denial {
  readonly flag?: 'UAEX';
  /** Response code details; empty for none. */
  readonly details: string;
  /** Connection termination details; empty for none. */
  readonly terminationDetails: string;
}

/** A connection as network filters see it. */
export interface FilteredConnection {
  readonly info: ConnectionInfo;
  /** Dynamic metadata by filter name, to read and to write. */
  readonly metadata: Record<string, Record<string, unknown>>;
}

/** A network filter in front of tcp_proxy. It has no state of its own per connection. */
export interface ConnectionFilter {
  /**
   * Says, once and perhaps at once, whether a connection may pass (undefined) or why not, before anything is connected for it. What is
   * returned gives the question up; `done` is not called after that.
   */
  admit(connection: FilteredConnection, done: (denial: Denial | undefined) => void): (() => void) | undefined;
  /** Asked again at each arrival of bytes, and at the client's end. */
  readmit?(connection: FilteredConnection): Denial | undefined;
}

/** What stands between one connection and its upstream. */
export interface Admission {
  /** Calls back once, perhaps at once; never after `cancel`. */
  decide(done: (denial: Denial | undefined) => void): void;
  /** Undefined where nobody asks again. */
  readonly again: (() => Denial | undefined) | undefined;
  cancel(): void;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Passes a connection through its chain's filters, one after the other. */
export function createAdmission(filters: readonly ConnectionFilter[], info: ConnectionInfo): Admission {
  const connection: FilteredConnection = { info, metadata: {} };
  let cancelPending: (() => void) | undefined;
  let over = false;
  const ask = (index: number, done: (denial: Denial | undefined) => void): void => {
    const filter = filters[index];
    if (filter === undefined) {
      done(undefined);
      return;
    }
    let answered = false;
    const cancel = filter.admit(connection, (denial) => {
      answered = true;
      cancelPending = undefined;
      if (over) return;
      if (denial === undefined) ask(index + 1, done);
      else done(denial);
    });
    if (!answered) cancelPending = cancel;
  };
  const repeated = filters.filter(({ readmit }) => readmit !== undefined);
  return {
    decide: (done) => ask(0, done),
    again:
      repeated.length === 0
        ? undefined
        : () => {
            for (const filter of repeated) {
              const denial = filter.readmit!(connection);
              if (denial !== undefined) return denial;
            }
            return undefined;
          },
    cancel() {
      over = true;
      cancelPending?.();
    },
    metadata: connection.metadata,
  };
}
