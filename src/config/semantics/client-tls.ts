import type { ClientTLSSettings } from '../kinds/networking.ts';
import type { FieldPath } from '../resource.ts';
import { quote } from '../validation/describe-value.ts';
import type { Report } from '../validation/report.ts';
import { isDnsLabel } from './names.ts';

const CONFIG_MAP = 'configmap://';

/** The rules of TLS towards a server; `namespace` is the one of the object. */
export function checkClientTls(tls: ClientTLSSettings, path: FieldPath, namespace: string, report: Report): void {
  const refuse = (field: keyof ClientTLSSettings, message: string): void => {
    report.error([...path, field], 'semantic/tls', message, { atKey: true });
  };
  const isSet = (field: keyof ClientTLSSettings): boolean => {
    const value = tls[field];
    return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== '' && value !== false;
  };
  const { mode, credentialName } = tls;
  if (credentialName?.startsWith(CONFIG_MAP)) {
    const [of, name, ...rest] = credentialName.slice(CONFIG_MAP.length).split('/');
    if (!of || !name || rest.length > 0 || !isDnsLabel(of))
      refuse('credentialName', `${quote(credentialName)} must be \`configmap://namespace/name\``);
    else if (of !== namespace) refuse('credentialName', `the ConfigMap must be of namespace ${namespace}, not ${of}`);
  }
  const skip = tls.insecureSkipVerify === true;
  if (skip && mode === 'SIMPLE') {
    for (const field of ['caCertificates', 'credentialName', 'subjectAltNames'] as const) {
      if (isSet(field)) refuse(field, `\`${field}\` is not checked with \`insecureSkipVerify: true\``);
    }
  }
  if (skip && mode === 'MUTUAL') {
    for (const field of ['caCertificates', 'subjectAltNames'] as const) {
      if (isSet(field)) refuse(field, `\`${field}\` is not checked with \`insecureSkipVerify: true\``);
    }
  }
  if ((mode === 'SIMPLE' || mode === 'MUTUAL') && isSet('credentialName')) {
    for (const field of ['clientCertificate', 'privateKey', 'caCertificates', 'caCrl'] as const) {
      if (isSet(field)) refuse(field, `\`${field}\` cannot be together with \`credentialName\``);
    }
    return;
  }
  if (mode !== 'MUTUAL') return;
  for (const field of ['clientCertificate', 'privateKey'] as const) {
    if (!isSet(field)) report.error(path, 'semantic/tls', `mode MUTUAL needs \`${field}\``, { atKey: true });
  }
}
