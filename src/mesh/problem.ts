import { type FieldPath, formatPath, originOf, type Position, type Resource } from '../config/resource.ts';
import type { Problem } from '../errors.ts';

/** What a problem says besides where it is. */
export interface ProblemText {
  severity: Problem['severity'];
  rule: string;
  message: string;
  hint?: string;
}

/**
 * A problem at a field of a resource. The position is worked out when somebody asks for it: finding one costs a second parse of the
 * document, and a large mesh may have thousands of warnings that nobody reads.
 */
export function problemAt(resource: Resource, path: FieldPath, text: ProblemText): Problem {
  let known: { position: Position; place: object | undefined } | undefined;
  return {
    ...text,
    origin: originOf(resource),
    path: formatPath(path),
    get position(): Position {
      const { source } = resource;
      // A document that did not change may stand on other lines now.
      if (known === undefined || known.place !== source.place) known = { position: source.positionOf(path), place: source.place };
      return known.position;
    },
  };
}

/** Takes problems as they are found. */
export type Report = (problem: Problem) => void;
