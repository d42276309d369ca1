/** What happens in an agent, for whoever listens: the terminal of `up`, the API's event stream. */
import type { ControllerEvent } from './controller.ts';
import type { EngineStatus } from './engine.ts';

export type AgentEvent = { type: 'config'; event: ControllerEvent } | { type: 'engine'; status: EngineStatus };

export interface EventHub {
  publish(event: AgentEvent): void;
  /** Returns the function that ends it. */
  subscribe(listener: (event: AgentEvent) => void): () => void;
  close(): void;
}

export function createEventHub(): EventHub {
  const listeners = new Set<(event: AgentEvent) => void>();
  return {
    publish(event) {
      for (const l of listeners) l(event);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      listeners.clear();
    },
  };
}
