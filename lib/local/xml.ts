/** Text as XML content. Control characters become references, as S3 writes them, though XML 1.0 knows no such. */
export function escapeXml(text: string): string {
  // eslint wants no control characters in patterns, so they are told by code.
  let out = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const replacement = escapeOf(text.charCodeAt(i));
    if (replacement === undefined) continue;
    out += text.slice(from, i) + replacement;
    from = i + 1;
  }
  return from === 0 ? text : out + text.slice(from);
}

function escapeOf(code: number): string | undefined {
  switch (code) {
    case 38:
      return '&amp;';
    case 60:
      return '&lt;';
    case 62:
      return '&gt;';
    case 34:
      return '&quot;';
    case 9:
    case 10:
      return undefined;
    default:
      return code < 32 ? `&#x${code.toString(16)};` : undefined;
  }
}

/** Elements to be written: text by name; lists repeat the name; `undefined` is left out; objects nest. */
export type XmlContent = string | number | boolean | undefined | XmlFields | readonly XmlContent[];
export interface XmlFields {
  readonly [name: string]: XmlContent;
}

/** `{ Bucket: { Name: 'a' } }` → `<Bucket><Name>a</Name></Bucket>`, without the XML declaration. */
export function writeXml(fields: XmlFields): string {
  let out = '';
  for (const [name, content] of Object.entries(fields)) out += element(name, content);
  return out;
}

function element(name: string, content: XmlContent): string {
  if (content === undefined) return '';
  if (isList(content)) return content.map((c) => element(name, c)).join('');
  const inner = typeof content === 'object' ? writeXml(content) : escapeXml(String(content));
  return `<${name}>${inner}</${name}>`;
}

function isList(content: XmlContent): content is readonly XmlContent[] {
  return Array.isArray(content);
}

/** With declaration, and the namespace on the root element, which holds other elements or text. */
export function xmlDocument(root: string, content: XmlFields | string, namespace?: string): string {
  const attribute = namespace === undefined ? '' : ` xmlns="${namespace}"`;
  const inner = typeof content === 'string' ? escapeXml(content) : writeXml(content);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attribute}>${inner}</${root}>`;
}

export const XML_TYPE = 'application/xml';

/** An element that was read; names without their namespace prefix. */
export interface XmlNode {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlNode[];
}

/**
 * Reads a document of elements and text, which is all that the bodies of S3 requests hold: attributes are
 * skipped, document types (and with them entity tricks) are refused.
 * @returns the root element; `undefined` when the text is not well-formed
 */
export function parseXml(text: string): XmlNode | undefined {
  const root: Open = { name: '', text: '', children: [] };
  const stack = [root];
  for (const token of text.matchAll(/<(\/?)([^\s<>/?!]+)((?:[^<>"']|"[^"]*"|'[^']*')*?)(\/?)>|<\?[^>]*\?>|<!--[\s\S]*?-->|([^<]+)|(<)/g)) {
    const [, close, name, , selfClosing, characters, stray] = token;
    const top = stack.at(-1)!;
    if (stray) return undefined;
    if (characters !== undefined) top.text += unescapeXml(characters);
    else if (name === undefined) continue;
    else if (close) {
      if (stack.length === 1 || top.name !== localName(name)) return undefined;
      stack.pop();
    } else {
      const node: Open = { name: localName(name), text: '', children: [] };
      top.children.push(node);
      if (!selfClosing) stack.push(node);
    }
  }
  return stack.length === 1 && root.children.length === 1 && root.text.trim() === '' ? root.children[0] : undefined;
}

interface Open {
  readonly name: string;
  text: string;
  readonly children: XmlNode[];
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(\w+));/g,
    (whole, hex: string | undefined, dec: string | undefined, name: string) => {
      const code = hex ? parseInt(hex, 16) : dec ? Number(dec) : undefined;
      if (code !== undefined) return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
      return ENTITIES[name] ?? whole;
    },
  );
}

/** The first child of that name. */
export function child(node: XmlNode, name: string): XmlNode | undefined {
  return node.children.find((c) => c.name === name);
}

/** Text of the first child of that name. */
export function childText(node: XmlNode, name: string): string | undefined {
  return child(node, name)?.text;
}
