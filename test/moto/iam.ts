import { request } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { KEYS, REGION, URL } from './moto';

/** An answer of IAM's query protocol. */
export interface IamAnswer {
  /** What stands in the elements of that name. */
  readonly texts: (name: string) => string[];
  /** The first of them; '' when there is none. */
  readonly text: (name: string) => string;
  /** A policy document, which IAM encodes as in URLs. */
  readonly document: (name: string) => unknown;
}

/** One call of IAM, of which the product needs none: so there is no SDK client for it. moto checks no signatures. @throws with IAM's code */
export async function iam(Action: string, input: Readonly<Record<string, string>> = {}): Promise<IamAnswer> {
  const scope = `Credential=${KEYS.accessKeyId}/20260101/${REGION}/iam/aws4_request, SignedHeaders=host, Signature=none`;
  const { status, xml } = await post(new URLSearchParams({ Action, Version: '2010-05-08', ...input }), `AWS4-HMAC-SHA256 ${scope}`);
  const texts = (name: string): string[] => [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map((m) => m[1]!);
  const text = (name: string): string => texts(name)[0] ?? '';
  if (status !== 200) throw new Error(`iam:${Action} failed with ${text('Code')}: ${text('Message')}`);
  // A policy that CloudFormation made, moto tells as Python would print it. Ours hold no quotation marks.
  return { texts, text, document: (name) => JSON.parse(decodeURIComponent(text(name)).replaceAll("'", '"')) as unknown };
}

function post(form: URLSearchParams, authorization: string): Promise<{ status: number; xml: string }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
    const sent = request(URL, { method: 'POST', headers, agent: false }, (answer) => {
      textOf(answer).then((xml) => resolve({ status: answer.statusCode ?? 0, xml }), reject);
    });
    sent.on('error', reject);
    sent.end(form.toString());
  });
}
