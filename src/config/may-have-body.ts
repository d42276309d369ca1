/** Whether an answer with this status may have a body: RFC 9112 6.3. Those that have none say no length either. */
export function mayHaveBody(status: number): boolean {
  return status >= 200 && status !== 204 && status !== 304;
}
