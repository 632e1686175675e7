import type { Style } from './style';

const LABEL_WIDTH = 10;

/** `plan      m7i.large …`: a word in front, everything else in one column. */
export function labelled(label: string, text: string, style: Style): string {
  return `${style.dim(label.padEnd(LABEL_WIDTH))}${text}`;
}

/** Joins parts to lines of at most `width` columns, the following ones indented like {@link labelled}'s text. */
export function wrapped(parts: readonly string[], separator: string, width: number): string {
  const lines: string[] = [];
  let line = '';
  for (const part of parts) {
    const longer = line === '' ? part : `${line}${separator}${part}`;
    if (line !== '' && longer.length > width - LABEL_WIDTH) {
      lines.push(line);
      line = part;
    } else line = longer;
  }
  return [...lines, line].join(`\n${' '.repeat(LABEL_WIDTH)}`);
}
