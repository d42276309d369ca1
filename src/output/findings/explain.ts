import { CATALOGUE, documentationUrl } from '../../analysis/catalogue/catalogue.ts';
import type { Message } from '../../analysis/catalogue/message.ts';
import { columns } from '../columns.ts';
import { paint } from '../paint.ts';

/** A message as programs read about it. */
export function messageJson({ code, name, level, args, summary, effect, hint, wrong, right, precheck }: Message): object {
  return {
    code,
    name,
    level,
    summary,
    effect,
    ...(hint === undefined ? {} : { hint }),
    args,
    ...(precheck ? { precheck } : {}),
    ...(wrong === undefined ? {} : { wrong, right }),
    documentationUrl: documentationUrl(code),
  };
}

/** All messages, one a line. */
export function listMessages(): string {
  return columns([
    ['CODE', 'LEVEL', 'NAME', 'WHAT IT IS ABOUT'],
    ...CATALOGUE.map(({ code, level, name, summary, precheck }) => [code, level, name, precheck ? `${summary} (clusters only)` : summary]),
  ]);
}

/** How a finding is suppressed, as Markdown and people read it. */
export function howToSuppress(code: string): string[] {
  return [
    `on an object: the annotation \`galley.istio.io/analyze-suppress: ${code}\``,
    `at a place: the comment \`# fairlead:ignore ${code} why\` at the end of a line, or before a block or document`,
    `from outside: \`fairlead analyze --suppress "${code}=KIND NAMESPACE/NAME"\`, with \`*\` for any text`,
  ];
}

/** One message, for people. */
export function explainMessage(message: Message, color: boolean): string {
  const { code, name, level, summary, effect, hint, wrong, right, precheck } = message;
  const style = paint(color);
  const indented = (text: string): string => text.trimEnd().replace(/^(?=.)/gm, '    ');
  const parts = [
    `${style.bold(`${code} ${name}`)} (${level})`,
    summary,
    `At run time: ${effect}`,
    ...(hint === undefined ? [] : [`What to do: ${hint}.`]),
    ...(precheck ? ['Found by checks of a cluster, not in configuration.'] : []),
    ...(wrong === undefined ? [] : [`Wrong:\n\n${indented(wrong)}`, `Right:\n\n${indented(right!)}`]),
    `To suppress it:\n${howToSuppress(code)
      .map((way) => `  - ${way.replaceAll('`', '')}`)
      .join('\n')}`,
    `See ${documentationUrl(code)}`,
  ];
  return `${parts.join('\n\n')}\n`;
}
