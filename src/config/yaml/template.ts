/** Helm templates: text that becomes YAML only when its `{{ … }}` have been filled in. */

/** An action of Go's text/template as charts have them; a flow map inside a flow map has no `.`, `-` or such word behind its braces. */
const ACTION =
  /\{\{-?\s*(?:[.$"(`]|\/\*|(?:if|else|end|with|range|define|block|template|include|toYaml|required|default|lookup|tpl|printf|quote|not|eq|and|or)\b)/g;

/**
 * Where the action stands that a document could not be read for: on the line of the failure, or the first one when the failure has no
 * place of its own. Undefined when the failure has another cause, as in a manifest with a template inside a text of its own.
 *
 * @param failure offset of what could not be read
 */
export function templateAction(text: string, failure: number): number | undefined {
  const line = text.slice(0, failure).split('\n').length;
  for (const { index } of text.matchAll(ACTION)) {
    if (failure === 0 || text.slice(0, index).split('\n').length === line) return index;
  }
  return undefined;
}
