/** Above every page that is made from the code. */
export const GENERATED = '<!-- Made from the code by `npm run docs`; a test holds it up to date. -->';

/** A table; cells may hold anything but line breaks. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

/** Words as code. */
export function code(text: string): string {
  return `\`${text}\``;
}

/** The page of some blocks. */
export function page(blocks: readonly string[]): string {
  return `${blocks.join('\n\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
