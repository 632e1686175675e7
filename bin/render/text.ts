import { stripVTControlCharacters } from 'node:util';

const SEGMENTS = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** East Asian wide and fullwidth blocks, and the pictures that terminals draw two columns wide. */
const WIDE =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|.\ufe0f)/u;

const ZERO = /^[\p{Mark}\p{Format}]+$/u;

/** One line of what may come from anywhere: no control characters, no escape sequences, no reversal of the reading direction. */
export function clean(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/[\t\n\r\v\f\u0085\u2028\u2029]+/g, ' ')
    .replaceAll(/[\p{Control}\u202a-\u202e\u2066-\u2069]/gu, '');
}

/** The same for text that we have coloured; its own line breaks stay. */
export function cleanStyled(text: string): string {
  const parts = text.split(/(\u001b\[[\d;]*m|\n)/);
  return parts.map((part, i) => (i % 2 === 1 ? part : clean(part))).join('');
}

/** Columns that a terminal needs for the text, which has no control characters. */
export function columnsOf(text: string): number {
  // Printable ASCII, which is nearly everything, is as wide as it is long.
  if (/^[ -~]*$/.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of SEGMENTS.segment(text)) columns += widthOfSegment(segment);
  return columns;
}

/** As much of the text as fits into so many columns; an ellipsis says that there was more. */
export function cutTo(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  if (columns < 1) return '';
  let kept = '';
  let used = 0;
  for (const { segment } of SEGMENTS.segment(text)) {
    used += widthOfSegment(segment);
    if (used > columns - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** Filled with spaces to so many columns. */
export function padTo(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)));
}

/** The text in lines of at most `width` columns, broken between words; a longer word has a line of its own. */
export function folded(text: string, width: number, first = '', rest = first): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text.split(' ')) {
    if (!empty && columnsOf(line) + 1 + columnsOf(word) > width) {
      lines.push(line);
      line = rest;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}

function widthOfSegment(segment: string): number {
  if (ZERO.test(segment)) return 0;
  return WIDE.test(segment) ? 2 : 1;
}
