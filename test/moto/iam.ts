import { send } from './http';

/** An answer of IAM's query protocol. */
export interface IamAnswer {
  /** What stands in the elements of that name. */
  readonly texts: (name: string) => string[];
  /** The first of them; '' when there is none. */
  readonly text: (name: string) => string;
  /** A policy document, which IAM encodes as in URLs. */
  readonly document: (name: string) => unknown;
}

/** One call of IAM, of which the product needs none: so there is no SDK client for it. @throws with IAM's code */
export async function iam(Action: string, input: Readonly<Record<string, string>> = {}, url?: string): Promise<IamAnswer> {
  const form = new URLSearchParams({ Action, Version: '2010-05-08', ...input });
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const { status, body: xml } = await send('iam', { headers, body: form.toString(), ...(url ? { url } : {}) });
  const texts = (name: string): string[] => [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map((m) => m[1]!);
  const text = (name: string): string => texts(name)[0] ?? '';
  if (status !== 200) throw new Error(`iam:${Action} failed with ${text('Code')}: ${text('Message')}`);
  // A policy that CloudFormation made, moto tells as Python would print it. Ours hold no quotation marks.
  return { texts, text, document: (name) => JSON.parse(decodeURIComponent(text(name)).replaceAll("'", '"')) as unknown };
}
