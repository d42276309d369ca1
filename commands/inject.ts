import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../src/cli/base-command.ts';
import * as flags from '../src/cli/flags.ts';
import { injectFlags, injectSettingsFrom } from '../src/cli/inject-flags.ts';
import { FairleadError, type Problem } from '../src/errors.ts';
import type { InjectedObject } from '../src/install/inject/inject-text.ts';

export interface InjectResult {
  /** YAML. */
  text: string;
  objects: readonly InjectedObject[];
  problems: readonly Problem[];
}

export default class Inject extends BaseCommand {
  static override aliases = ['kube-inject'];
  static override summary = 'Give every pod of a file its sidecar, as the webhook does it, and print the file: comments and layout stay.';
  static override description =
    `Pods, Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs, CronJobs and Lists of them; all else is printed as it is. What opted out, and what has
a sidecar, is left as it is, so that injecting twice changes nothing; \`check-inject\` says why. Nothing is printed when a pod asks for what cannot be had (exit code 1). docs/injection.md describes what is injected.`;
  static override examples = [
    '<%= config.bin %> inject -f deployment.yaml | kubectl apply -f -',
    '<%= config.bin %> inject -f deployment.yaml --set injection.agent=pod --set injection.namespaces=[shop] --ca-roots roots.pem',
    'kubectl get deployment web -o yaml | <%= config.bin %> inject -k -f -',
  ];
  static override flags = {
    filename: Flags.string({
      char: 'f',
      multiple: true,
      multipleNonGreedy: true,
      required: true,
      helpValue: 'FILE',
      description: 'files or folders, - for standard input',
    }),
    namespace: flags.namespace,
    kubernetes: Flags.boolean({
      char: 'k',
      description: 'take the settings of the installation and the CA’s roots from the kubeconfig’s cluster',
    }),
    context: Flags.string({
      helpValue: 'NAME',
      description: 'the kubeconfig’s context [default: its current one]',
      dependsOn: ['kubernetes'],
    }),
    ...injectFlags,
    quiet: flags.quiet,
  };

  async run(): Promise<InjectResult> {
    const { flags } = await this.parse(Inject);
    const { settings, strict } = await injectSettingsFrom(flags, this.config.version);
    const [{ pathSource }, { injectText }] = await Promise.all([
      import('../src/config/sources/path-source.ts'),
      import('../src/install/inject/inject-text.ts'),
    ]);
    const read = await pathSource(flags.filename).read();
    if (read.problems.length > 0) throw new FairleadError('E_CONFIG_UNREADABLE', 'not all of it can be read', { problems: read.problems });
    const all = await Promise.all(read.files.map((file) => injectText(file, flags.namespace, settings, strict)));
    const problems = all.flatMap((one) => one.problems);
    if (problems.some(({ severity }) => severity === 'error'))
      throw new FairleadError('E_CONFIG_INVALID', 'nothing is injected', {
        problems,
        next: 'Correct it, or opt the pod out with the label sidecar.istio.io/inject: "false".',
      });
    const result = { text: joined(all.map(({ text }) => text)), objects: all.flatMap((one) => one.objects), problems };
    if (this.jsonEnabled()) return result;
    if (!flags.quiet) await this.tell(result);
    this.write(result.text);
    return result;
  }

  /** What is not in the output itself, for people: on standard error. */
  private async tell({ objects, problems }: InjectResult): Promise<void> {
    const left = objects.filter(({ injected }) => !injected);
    for (const { kind, namespace, name, why } of left) process.stderr.write(`note: ${kind} ${namespace}/${name} gets no sidecar: ${why}\n`);
    if (problems.length === 0) return;
    const { formatProblems } = await import('../src/output/problems.ts');
    process.stderr.write(`${await formatProblems(problems, { color: this.errorColor, width: process.stderr.columns ?? 100 })}\n`);
  }
}

/** One stream of all files. */
function joined(texts: readonly string[]): string {
  return texts.reduce((all, text) => {
    if (all === '' || text === '') return all + text;
    const closed = all.endsWith('\n') ? all : `${all}\n`;
    return /^(?:\s*#.*\n|\s*\n)*---/.test(text) ? closed + text : `${closed}---\n${text}`;
  }, '');
}
