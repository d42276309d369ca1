import type { MeshConfig } from '../../config/kinds/mesh-config.ts';
import type { AuthorizationPolicy } from '../../config/kinds/security.ts';
import type { Resource } from '../../config/resource.ts';

type ExtensionProvider = NonNullable<MeshConfig['extensionProviders']>[number];

/** Somebody outside who decides about requests. */
export type ExtAuthzProvider =
  | { readonly kind: 'http'; readonly name: string; readonly settings: NonNullable<ExtensionProvider['envoyExtAuthzHttp']> }
  | { readonly kind: 'grpc'; readonly name: string; readonly settings: NonNullable<ExtensionProvider['envoyExtAuthzGrpc']> };

/** The provider that CUSTOM policies of one workload name; a string says why there is none that can be asked. */
export function extAuthzProvider(
  config: Pick<MeshConfig, 'extensionProviders'>,
  policies: readonly Resource<AuthorizationPolicy>[],
): ExtAuthzProvider | string {
  const names = [...new Set(policies.map(({ spec }) => spec.provider?.name ?? ''))];
  const [name = ''] = names;
  // Istio: with several it is not said whose word counts.
  if (names.length > 1) return `a workload can have one provider, and the CUSTOM policies here name ${names.join(' and ')}`;
  const found = config.extensionProviders?.find((p) => p.name === name);
  if (found === undefined) return `there is no provider ${name} among the mesh's extensionProviders`;
  if (found.envoyExtAuthzHttp) return { kind: 'http', name, settings: found.envoyExtAuthzHttp };
  if (found.envoyExtAuthzGrpc) return { kind: 'grpc', name, settings: found.envoyExtAuthzGrpc };
  return `provider ${name} is neither envoyExtAuthzHttp nor envoyExtAuthzGrpc`;
}
