import { agentFolder, CA_NAME, CA_PORT, TOKEN_AUDIENCE } from '../objects/names.ts';
import type { Settings } from '../settings/resolve.ts';
import type { InjectSettings } from './settings.ts';

/** What an installation injects. @param roots PEM of the CA's roots @param known whether the settings are those of an installation that is there */
export function injectSettingsOf(settings: Settings, roots: string, known = true): InjectSettings {
  const { namespace, revision, image, imagePullPolicy, imagePullSecrets, logFormat, injection } = settings;
  return {
    revision,
    image,
    imagePullPolicy,
    imagePullSecrets,
    namespace,
    ca: { address: `${CA_NAME}.${namespace}.svc:${CA_PORT}`, roots, audience: TOKEN_AUDIENCE },
    agent: injection.agent,
    agentFolder: agentFolder(settings),
    namespaces: known ? injection.namespaces : undefined,
    engine: injection.engine,
    nativeSidecar: injection.nativeSidecar,
    capture: injection.capture,
    resources: injection.resources,
    logFormat,
    logLevel: injection.logLevel,
  };
}
