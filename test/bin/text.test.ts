import fc from 'fast-check';
import { clean, cleanStyled, columnsOf, cutTo, folded, padTo } from '../../bin/render/text';

describe('columns', () => {
  test.each([
    ['plain', 5],
    ['näive', 5],
    ['e\u0301', 1],
    ['日本', 4],
    ['한글', 4],
    ['🚀', 2],
    ['👩‍🚀', 2],
    ['✔ ok', 4],
    ['⠋', 1],
    ['', 0],
  ])('%j has %d', (text, columns) => {
    expect(columnsOf(text)).toBe(columns);
  });

  test('cut text never needs more than it was given, and is whole when it fits', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (raw, columns) => {
        const text = clean(raw);
        const cut = cutTo(text, columns);
        expect(columnsOf(cut)).toBeLessThanOrEqual(columns);
        if (columnsOf(text) <= columns) expect(cut).toBe(text);
      }),
    );
  });

  test('filled text has what was asked for', () => {
    expect(padTo('日本', 6)).toBe('日本  ');
    expect(padTo('longer', 3)).toBe('longer');
  });
});

describe('cleaning', () => {
  test('takes away escape sequences, control characters and what turns the reading direction', () => {
    expect(clean('a\u001b[2Jb\u001b]0;title\u0007c\td\r\ne\u0008\u202ef\u009b1m')).toBe('abc d ef');
  });

  test('leaves no control character in whatever comes', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => expect(clean(text)).not.toMatch(/\p{Control}/u)));
  });

  test('keeps our own colours and line breaks', () => {
    expect(cleanStyled('\u001b[2mdim\u001b[22m\nnext\u001b[1A')).toBe('\u001b[2mdim\u001b[22m\nnext');
  });
});

test('folded lines stay within their width', () => {
  expect(folded('one two three four', 9, '- ', '  ')).toEqual(['- one two', '  three', '  four']);
});
