import type { Completion } from './completions.ts';

/** A script for fish, for its folder of completions. It starts no process of Fairlead's. */
export function fishScript(points: readonly Completion[]): string {
  const known = points.filter((p) => p.words !== '').map((p) => quote(p.words));
  const lines = points.flatMap(({ words, next, flags }) => {
    const when = `-n ${quote(`__fairlead_at ${quote(words)}`)}`;
    return [
      ...next.map((n) => `complete -c fairlead -f ${when} -a ${n.word} -d ${quote(n.description)}`),
      ...flags.map(({ names, values, description }) => {
        const spelt = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(' ');
        const takes = values === undefined ? '' : values.length > 0 ? ` -x -a ${quote(values.join(' '))}` : ' -r -F';
        return `complete -c fairlead ${when} ${spelt}${takes} -d ${quote(description)}`;
      }),
    ];
  });
  return `# fish completion for fairlead
function __fairlead_at
    set -l known ${known.join(' ')}
    set -l at ''
    for word in (commandline -opc)[2..]
        string match -q -- '-*' $word; and break
        set -l longer (string trim "$at $word")
        contains -- $longer $known; or break
        set at $longer
    end
    test "$at" = "$argv[1]"
end
${lines.join('\n')}
`;
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
