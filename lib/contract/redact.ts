/** Shorter ones would stand in half the words of a log, and are no secrets: `true`, a port. */
const MIN_LENGTH = 8;

/**
 * Words that must not be shown of sealed texts: a text of one word, and of others what stands after `=`, after `login` or
 * `password` (as in netrc), within double quotes, and before the `@` of a URL. Longest first, so that a part is not replaced
 * before the whole.
 */
export function secretWords(texts: readonly string[]): string[] {
  const words = texts.flatMap((text) => [...(/[\s"]/.test(text) ? valuesIn(text) : [text]), ...inUrls(text)]);
  return [...new Set(words)].filter((word) => word.length >= MIN_LENGTH).sort((a, b) => b.length - a.length);
}

/** The text with each of the words replaced by `***`. */
export function hideWords(text: string, words: readonly string[]): string {
  return words.reduce((hidden, word) => hidden.replaceAll(word, '***'), text);
}

function valuesIn(text: string): string[] {
  const quoted = [...text.matchAll(/"([^"\\]+)"/g)].map(([, value]) => value!);
  const assigned = text.split('\n').map((line) => line.slice(line.indexOf('=') + 1).trim());
  const netrc = [...text.matchAll(/\b(?:login|password)\s+(\S+)/g)].map(([, value]) => value!);
  return [...quoted, ...assigned, ...netrc].filter((value) => !/\s/.test(value) && !isPlainUrl(value));
}

function isPlainUrl(value: string): boolean {
  return /^(?:https?:)?\/\/[^@]*$/.test(value);
}

/** User and password of URLs, as they stand there and decoded. */
function inUrls(text: string): string[] {
  const users = [...text.matchAll(/:\/\/([^/@\s"]+)@/g)].flatMap(([, user]) => [user!, ...user!.split(':')]);
  return users.flatMap((word) => [word, decoded(word)]);
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}
