/** One change of a header that an authorization service asks for. */
export interface HeaderChange {
  readonly name: string;
  readonly value: string;
  readonly action: 'append' | 'add' | 'add-if-absent' | 'overwrite' | 'overwrite-if-exists';
}

/** What an authorization service says of a request; undefined: it could not be asked, or did not know. */
export type AuthzAnswer =
  | {
      readonly allowed: true;
      readonly request: readonly HeaderChange[];
      readonly removeFromRequest: readonly string[];
      readonly response: readonly HeaderChange[];
      readonly setQuery: readonly (readonly [string, string])[];
      readonly removeQuery: readonly string[];
      readonly metadata: Readonly<Record<string, unknown>>;
    }
  | {
      readonly allowed: false;
      readonly status: number;
      readonly body: Buffer;
      /** Flat; they replace the answer's own. */
      readonly headers: string[];
      readonly metadata: Readonly<Record<string, unknown>>;
    };

/** Asks a service of one kind; calls back once, never after `cancel`. */
export interface AuthzClient<Question> {
  ask(question: Question, done: (answer: AuthzAnswer | undefined) => void): { cancel(): void };
}
