import type { FieldPath } from '../../config/resource.ts';

/**
 * Something that keeps an object of the Gateway API from doing what it says: the condition that it makes false, by the API's own names.
 * https://gateway-api.sigs.k8s.io/reference/spec/ (…ConditionType, …ConditionReason)
 */
export interface Fault {
  readonly condition: 'Accepted' | 'ResolvedRefs' | 'Programmed' | 'Conflicted' | 'PartiallyInvalid';
  readonly reason: string;
  /** One sentence without full stop, for people. */
  readonly message: string;
  readonly path: FieldPath;
  readonly hint?: string;
}

/** A fault of a condition. */
export function fault(condition: Fault['condition'], reason: string, path: FieldPath, message: string, hint?: string): Fault {
  return { condition, reason, path, message, ...(hint !== undefined && { hint }) };
}
