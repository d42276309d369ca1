/** Settings -> the files of an installation on one host: systemd's units, user and directories. */
import type { SettingsFile } from '../settings/schema.ts';

export interface HostFile {
  /** Absolute, on the host. */
  path: string;
  text: string;
  /** Octal. */
  mode: number;
  /** Written once and then the administrator's own. */
  once?: true;
}

export interface HostSettings {
  /** The program with its first arguments, as in ExecStart. */
  program: readonly string[];
  agent: boolean;
  ca: boolean;
  /** Folder of the configuration. */
  mesh: string;
  engine: 'auto' | 'envoy' | 'embedded';
  logFormat: 'text' | 'json';
  trustDomain: string;
}

/** @param program where Fairlead is on this host */
export function hostSettings(file: SettingsFile, program: readonly string[]): HostSettings {
  const { host = {} } = file;
  return {
    program: host.program?.split(/\s+/) ?? program,
    agent: host.agent ?? true,
    ca: host.ca ?? false,
    mesh: host.mesh ?? '/etc/fairlead/mesh',
    engine: host.engine ?? 'auto',
    logFormat: file.logFormat ?? 'text',
    trustDomain: file.meshConfig?.trustDomain || 'cluster.local',
  };
}

/** Names of the units, in the order in which they are started. */
export const unitsOf = ({ agent, ca }: HostSettings): string[] => [
  ...(ca ? ['fairlead-ca.service'] : []),
  ...(agent ? ['fairlead-agent.service'] : []),
];

export function hostFiles(settings: HostSettings): HostFile[] {
  const { agent, ca, mesh } = settings;
  const file = (path: string, text: string, more: Partial<HostFile> = {}): HostFile => ({ path, text, mode: 0o644, ...more });
  return [
    file('/etc/sysusers.d/fairlead.conf', 'u fairlead - "Fairlead service mesh" /var/lib/fairlead -\n'),
    // The state directories are systemd's: StateDirectory= in the units.
    file(
      '/etc/tmpfiles.d/fairlead.conf',
      ['d /etc/fairlead 0755 root root -', ...(mesh.startsWith('/etc/fairlead/') ? [`d ${mesh} 0755 root root -`] : []), ''].join('\n'),
    ),
    ...(ca
      ? [
          file('/etc/systemd/system/fairlead-ca.service', caUnit(settings)),
          file('/etc/fairlead/ca.env', CA_ENVIRONMENT, { mode: 0o600, once: true }),
        ]
      : []),
    ...(agent
      ? [
          file('/etc/systemd/system/fairlead-agent.service', agentUnit(settings)),
          file('/etc/fairlead/agent.env', AGENT_ENVIRONMENT, { mode: 0o600, once: true }),
        ]
      : []),
  ];
}

/** What the services do without. Node compiles at run time and asks the kernel for the host's addresses, so neither is taken from them. */
const HARDENING = `NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
UMask=0077`;

/** systemd.exec(5): `%` begins a specifier, `$` a variable. */
const quoted = (word: string): string => {
  const text = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /[\s"'\\]/.test(text) ? `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"` : text;
};

const command = (...words: string[]): string => words.map(quoted).join(' ');

function agentUnit({ program, mesh, engine, logFormat, ca }: HostSettings): string {
  return `[Unit]
Description=Fairlead agent: the proxies of this host
Wants=network-online.target
After=network-online.target${ca ? ' fairlead-ca.service' : ''}

[Service]
Type=exec
User=fairlead
Group=fairlead
EnvironmentFile=-/etc/fairlead/agent.env
ExecStart=${command(...program, 'agent', 'run', '-f', mesh, '--data', '/var/lib/fairlead', '--engine', engine, '--log-format', logFormat)} $FAIRLEAD_AGENT_ARGS
ExecReload=/bin/kill -HUP $MAINPID
# The agent ends its proxies itself. They outlive one that crashes, or that SIGUSR2 ends, and the next agent takes them over.
KillMode=process
TimeoutStopSec=45
Restart=always
RestartSec=1
StateDirectory=fairlead
StateDirectoryMode=0700
CacheDirectory=fairlead
Environment=XDG_CACHE_HOME=/var/cache/fairlead
LimitNOFILE=1048576
# Gateways on ports below 1024.
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
${HARDENING}

[Install]
WantedBy=multi-user.target
`;
}

function caUnit({ program, trustDomain, logFormat }: HostSettings): string {
  const directory = '/var/lib/fairlead-ca/authority';
  return `[Unit]
Description=Fairlead certificate authority
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
User=fairlead
Group=fairlead
EnvironmentFile=-/etc/fairlead/ca.env
ExecStartPre=${command(...program, 'ca', 'init', '--if-missing', '--ca-dir', directory, '--trust-domain', trustDomain)}
ExecStart=${command(...program, 'ca', 'serve', '--ca-dir', directory, '--log-format', logFormat)} $FAIRLEAD_CA_ARGS
TimeoutStopSec=15
Restart=always
RestartSec=1
StateDirectory=fairlead-ca
StateDirectoryMode=0700
CacheDirectory=fairlead
Environment=XDG_CACHE_HOME=/var/cache/fairlead
CapabilityBoundingSet=
${HARDENING}

[Install]
WantedBy=multi-user.target
`;
}

const AGENT_ENVIRONMENT = `# Environment of fairlead-agent.service. Yours: upgrades leave it alone. After a change: systemctl restart fairlead-agent
# Further flags of \`fairlead agent run\`, separated by blanks:
#FAIRLEAD_AGENT_ARGS=--ca ca.example.com:15012 --ca-roots /etc/fairlead/roots.pem --ca-token-file /etc/fairlead/token
`;

const CA_ENVIRONMENT = `# Environment of fairlead-ca.service. Yours: upgrades leave it alone. After a change: systemctl restart fairlead-ca
# Further flags of \`fairlead ca serve\`, separated by blanks:
#FAIRLEAD_CA_ARGS=--listen 0.0.0.0 --host ca.example.com
# With which the keys are encrypted; to be set before the first start:
#FAIRLEAD_PASSPHRASE=
`;
