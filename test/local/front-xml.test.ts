import * as fc from 'fast-check';
import { child, childText, parseXml, writeXml, xmlDocument } from '../../lib/local/xml';

test('any text survives being written and read', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const read = parseXml(xmlDocument('Root', { Key: text }, 'http://example'));
      expect(childText(read!, 'Key')).toBe(text);
    }),
  );
});

test('lists repeat their name, and what is undefined is left out', () => {
  expect(writeXml({ A: [{ B: 1 }, { B: '<' }], C: undefined, D: [], E: true })).toBe('<A><B>1</B></A><A><B>&lt;</B></A><E>true</E>');
});

test('declarations, comments, prefixes, attributes and empty elements are read over', () => {
  const root = parseXml('<?xml version="1.0"?>\n<!-- c -->\n<n:Root xmlns:n="x" a=">"><n:A/><B>b&amp;&#x41;&#66;</B></n:Root>');
  expect(root).toMatchObject({
    name: 'Root',
    children: [
      { name: 'A', text: '' },
      { name: 'B', text: 'b&AB' },
    ],
  });
  expect(child(root!, 'C')).toBeUndefined();
});

test.each(['', 'text', '<a>', '<a></b>', '</a>', '<a/><b/>', '<a><b></a></b>', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', '<a'])(
  'fails for %j',
  (text) => {
    expect(parseXml(text)).toBeUndefined();
  },
);
