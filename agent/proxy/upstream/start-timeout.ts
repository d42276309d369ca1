/** The longest delay that a timer takes; longer ones fire never, which is what such configuration means. */
const LONGEST = 2_147_483_647;

/** A timer that keeps no process alive. Delays beyond 24 days never end. */
export function startTimeout(action: () => void, ms: number): NodeJS.Timeout | undefined {
  return ms > LONGEST ? undefined : setTimeout(action, ms).unref();
}
