/** `fairlead --help` by what people want to do; help of single commands is oclif's. */
import { styleText } from 'node:util';
import type { Command } from '@oclif/core/command';
import { Help as OclifHelp } from '@oclif/core/help';
import type { Topic } from '@oclif/core/interfaces';

/** Commands by id, in the order in which people meet them. One that is in no group is listed at the end. */
const GROUPS: readonly [title: string, ids: readonly string[]][] = [
  ['Start here', ['demo', 'up']],
  [
    'Ask before it happens',
    [
      'explain',
      'test',
      'diff',
      'describe',
      'describe:service',
      'describe:workload',
      'describe:pod',
      'analyze',
      'validate',
      'authz:check',
      'authz:can',
    ],
  ],
  [
    'Change routes, in their files',
    [
      'route:list',
      'route:show',
      'route:split',
      'route:shift',
      'route:set',
      'route:mirror',
      'route:fault',
      'route:timeout',
      'route:retry',
      'route:remove',
    ],
  ],
  [
    'The node',
    [
      'agent:run',
      'agent:status',
      'agent:ready',
      'agent:drain',
      'agent:stop',
      'wait',
      'doctor',
      'envoy:install',
      'envoy:list',
      'envoy:which',
    ],
  ],
  [
    'Look inside a proxy',
    [
      'proxy-status',
      'proxy-config:all',
      'proxy-config:listener',
      'proxy-config:route',
      'proxy-config:cluster',
      'proxy-config:endpoint',
      'proxy-config:secret',
      'proxy-config:bootstrap',
      'proxy-config:log',
      'proxy-config:ecds',
      'proxy-config:eds',
    ],
  ],
  [
    'Certificates',
    [
      'ca:init',
      'ca:status',
      'ca:serve',
      'ca:bundle',
      'ca:intermediate',
      'ca:token',
      'ca:rotate:prepare',
      'ca:rotate:activate',
      'ca:rotate:taint',
      'ca:rotate:revoke',
      'ca:rotate:status',
      'ca:rotate',
      'cert:issue',
      'cert:list',
      'cert:renew',
      'cert:show',
      'cert:verify',
      'cert:check',
    ],
  ],
  [
    'In a cluster',
    [
      'install',
      'upgrade',
      'uninstall',
      'manifest:generate',
      'manifest:diff',
      'manifest:profiles',
      'tag:list',
      'tag:set',
      'tag:remove',
      'inject',
      'check-inject',
      'webhook:serve',
    ],
  ],
  ['This tool', ['schema', 'lsp', 'version', 'autocomplete']],
];

const LINKS = `What reads configuration takes -f PATH: files, folders, - for standard input; default ./mesh.
What asks a running mesh takes --agent URL|unix:PATH; default: this node’s.`;

export default class Help extends OclifHelp {
  /** Descriptions are wrapped to the terminal: line ends in the source mean nothing, empty lines part paragraphs. */
  protected override formatCommand(command: Command.Loadable): string {
    return super.formatCommand({ ...command, description: command.description?.replace(/([^\n])\n(?!\n)/g, '$1 ') });
  }

  /** Each command once, by its own name: its help lists the others. */
  protected override get sortedCommands(): Command.Loadable[] {
    return super.sortedCommands.filter((c) => !c.aliases.includes(c.id));
  }

  /** `pc` holds nothing but other names. */
  protected override async showTopicHelp(topic: Topic): Promise<void> {
    await super.showTopicHelp(topic.name === 'pc' ? (this.config.findTopic('proxy-config') ?? topic) : topic);
  }

  protected override async showRootHelp(): Promise<void> {
    const shown = new Map(this.config.commands.filter((c) => !c.hidden && !c.aliases.includes(c.id)).map((c) => [c.id, c]));
    const listed = new Set(GROUPS.flatMap(([, ids]) => ids));
    const rest = [...shown.keys()].filter((id) => !listed.has(id)).sort();
    const width = Math.max(...[...shown.keys()].map((id) => usage(id, shown.get(id)?.args).length));
    const lines = [
      `${bold('fairlead')} ${this.config.version}: a service mesh that speaks Istio's configuration language and needs no cluster`,
      '',
      `  ${this.config.bin} COMMAND [FLAGS]      ${this.config.bin} COMMAND --help`,
      '',
    ];
    for (const [title, ids] of [...GROUPS, ['More', rest] as const]) {
      const commands = ids.flatMap((id) => shown.get(id) ?? []);
      if (commands.length === 0) continue;
      lines.push(bold(title));
      for (const c of commands)
        lines.push(...entry(usage(c.id, c.args), (c.summary ?? c.description?.split('\n')[0] ?? '').replace(/\.$/, ''), width));
      lines.push('');
    }
    lines.push(LINKS);
    process.stdout.write(`${lines.join('\n')}\n`);
  }
}

function usage(id: string, args: Record<string, { name: string; required?: boolean }> | undefined): string {
  const words = Object.values(args ?? {}).map((a) => (a.required ? ` ${a.name.toUpperCase()}` : ` [${a.name.toUpperCase()}]`));
  return id.replaceAll(':', ' ') + words.join('');
}

/** A summary that does not fit beside its command goes on, indented, on the next line. */
function entry(name: string, summary: string, width: number): string[] {
  const columns = Math.max(60, Math.min(process.stdout.columns ?? 100, 120)) - width - 5;
  const lines: string[] = [];
  let line = '';
  for (const word of summary.split(' ')) {
    if (line !== '' && line.length + word.length + 1 > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.map((l, i) => `  ${(i === 0 ? name : '').padEnd(width)}   ${l}`);
}

function bold(text: string): string {
  return process.env['FORCE_COLOR'] === '0' ? text : styleText('bold', text, { stream: process.stdout });
}
