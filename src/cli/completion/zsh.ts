import type { Completion } from './completions.ts';

/** A script for zsh, for `source` after compinit or, named `_fairlead`, for a folder of $fpath. It starts no process. */
export function zshScript(points: readonly Completion[]): string {
  const commands = points.filter((p) => p.next.length > 0);
  return `#compdef fairlead
_fairlead() {
  local at= word i
  local -a next flags known
  known=(${points
    .filter((p) => p.words !== '')
    .map((p) => quote(p.words))
    .join(' ')})
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    [[ $word == -* ]] && break
    (( \${known[(Ie)\${at:+$at }$word]} )) || break
    at=\${at:+$at }$word
  done
  case "$at \${words[CURRENT - 1]}" in
${valueCases(points)}
  esac
  if [[ $words[CURRENT] == -* ]]; then
    case "$at" in
${points
  .filter((p) => p.flags.length > 0)
  .map((p) => `      ${quote(p.words)}) flags=(${p.flags.flatMap((f) => f.names.map((n) => described(n, f.description))).join(' ')}) ;;`)
  .join('\n')}
      *) flags=(--help) ;;
    esac
    _describe flag flags
    return
  fi
  case "$at" in
${commands.map((p) => `    ${quote(p.words)}) next=(${p.next.map((n) => described(n.word, n.description)).join(' ')}) ;;`).join('\n')}
  esac
  if (( \${#next} )); then _describe command next; else _files; fi
}
if [[ $funcstack[1] == _fairlead ]]; then _fairlead "$@"; else compdef _fairlead fairlead; fi
`;
}

/** After a flag that takes a value: its values, or file names. */
function valueCases(points: readonly Completion[]): string {
  return points
    .flatMap(({ words, flags }) =>
      flags.flatMap(({ names, values }) => {
        if (values === undefined) return [];
        const offer = values.length > 0 ? `compadd -- ${values.map(quote).join(' ')}` : '_files';
        return [`    ${names.map((name) => quote(`${words} ${name}`)).join(' | ')}) ${offer}; return ;;`];
      }),
    )
    .join('\n');
}

function described(word: string, description: string): string {
  return quote(description === '' ? word : `${word}:${description.replaceAll(':', '\\:')}`);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
