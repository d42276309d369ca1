import type { Completion } from './completions.ts';

/** A script for bash 4 and newer, for `source` or for the folder of bash-completion. It starts no process. */
export function bashScript(points: readonly Completion[]): string {
  return `# bash completion for fairlead
_fairlead_next() {
  case "$1" in
${points
  .filter((p) => p.next.length > 0)
  .map((p) => `    ${quote(p.words)}) REPLY=${quote(p.next.map((n) => n.word).join(' '))} ;;`)
  .join('\n')}
    *) REPLY= ;;
  esac
}
_fairlead_flags() {
  case "$1" in
${points
  .filter((p) => p.flags.length > 0)
  .map((p) => `    ${quote(p.words)}) REPLY=${quote(p.flags.flatMap((f) => f.names).join(' '))} ;;`)
  .join('\n')}
    *) REPLY=--help ;;
  esac
}
# Whether a flag takes a value: fails when not, else REPLY is what can be offered.
_fairlead_values() {
  case "$1" in
${valueCases(points)}
    *) return 1 ;;
  esac
}
_fairlead() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} at= word i REPLY
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [[ $word == -* ]] && break
    _fairlead_known "\${at:+$at }$word" || break
    at=\${at:+$at }$word
  done
  COMPREPLY=()
  # --output=json comes as three words.
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  if [[ $prev == -* ]] && _fairlead_values "$at $prev"; then
    COMPREPLY=($(compgen -W "$REPLY" -- "$cur"))
  elif [[ $cur == -* ]]; then
    _fairlead_flags "$at"
    COMPREPLY=($(compgen -W "$REPLY" -- "$cur"))
  else
    _fairlead_next "$at"
    COMPREPLY=($(compgen -W "$REPLY" -- "$cur"))
  fi
}
_fairlead_known() {
  case "$1" in
    ${points
      .filter((p) => p.words !== '')
      .map((p) => quote(p.words))
      .join(' | ')}) return 0 ;;
  esac
  return 1
}
complete -o default -F _fairlead fairlead
`;
}

/** One case for all commands whose flags of a name take the same values. */
function valueCases(points: readonly Completion[]): string {
  const byValues = new Map<string, string[]>();
  for (const { words, flags } of points) {
    for (const { names, values } of flags) {
      if (values === undefined) continue;
      const key = values.join(' ');
      const list = byValues.get(key) ?? [];
      byValues.set(key, list.concat(names.map((name) => quote(`${words} ${name}`))));
    }
  }
  return [...byValues].map(([values, patterns]) => `    ${patterns.join(' | ')}) REPLY=${quote(values)} ;;`).join('\n');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
