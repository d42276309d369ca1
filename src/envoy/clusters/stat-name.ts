import type { Service, ServicePort } from '../../mesh/types.ts';
import { STAT_DELIMITER } from '../names.ts';

/** What `%SERVICE%` stands for: `name.ns` for Kubernetes services, else the host. */
function shortService(service: Service): string {
  return service.registry === 'Kubernetes' ? `${service.name}.${service.namespace}` : service.host;
}

/**
 * `alt_stat_name` of a cluster: its name, or the mesh's pattern with the variables filled in, and the delimiter that the bootstrap's
 * stats tags look for. Variables: `%SERVICE%`, `%SERVICE_NAME%`, `%SERVICE_FQDN%`, `%SERVICE_PORT%`, `%TARGET_PORT%`,
 * `%SERVICE_PORT_NAME%`, `%SUBSET_NAME%`; others stay as they are.
 */
export function altStatName(name: string, pattern: string | undefined, service: Service, port: ServicePort, subset: string): string {
  if (!pattern) return name + STAT_DELIMITER;
  const values: Record<string, string> = {
    '%SERVICE%': shortService(service),
    '%SERVICE_NAME%': service.name,
    '%SERVICE_FQDN%': service.host,
    '%SERVICE_PORT%': String(port.number),
    '%TARGET_PORT%': String(port.targetPort),
    '%SERVICE_PORT_NAME%': port.name,
    '%SUBSET_NAME%': subset,
  };
  return pattern.replace(/%[A-Z_]+%/g, (variable) => values[variable] ?? variable) + STAT_DELIMITER;
}
