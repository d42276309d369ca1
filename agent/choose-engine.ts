/** Which engine an agent runs. */
import { FairleadError } from '../src/errors.ts';
import { type EnvoyBinary, findEnvoy, requireEnvoy } from './envoy/find.ts';

/** `auto`: the real Envoy when there is one, else the embedded proxy. */
export type EngineChoice = 'auto' | 'envoy' | 'embedded';

export type ChosenEngine = ({ engine: 'embedded' } | { engine: 'envoy'; binary: EnvoyBinary }) & {
  /** Why this one, in a few words. */
  why: string;
  /** What somebody who expected the other one should read. */
  warning?: string;
};

/** Throws E_ENVOY_NOT_FOUND, E_ENVOY_UNUSABLE; `auto` throws the latter only for an Envoy that ENVOY_PATH names. */
export async function chooseEngine(choice: EngineChoice, env: NodeJS.ProcessEnv = process.env): Promise<ChosenEngine> {
  if (choice === 'embedded') return { engine: 'embedded', why: 'asked for' };
  if (choice === 'envoy') return withEnvoy(await requireEnvoy(env));
  try {
    const binary = await findEnvoy(env);
    return binary ? withEnvoy(binary) : { engine: 'embedded', why: 'no Envoy was found' };
  } catch (error) {
    if (!(error instanceof FairleadError) || env['ENVOY_PATH']) throw error;
    return {
      engine: 'embedded',
      why: 'the Envoy that was found cannot be used',
      warning: `${error.message}; the embedded proxy runs in its place`,
    };
  }
}

function withEnvoy(binary: EnvoyBinary): ChosenEngine {
  return { engine: 'envoy', binary, why: `${binary.path}: ${binary.why}` };
}
