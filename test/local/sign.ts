import { canonicalRequest, sha256Hex } from '../../lib/local/canonical';
import { formatAmzDate } from '../../lib/local/claim';
import { stringToSign } from '../../lib/local/sigv4';
import { hmac, scopeText, signingKey } from '../../lib/local/signing-key';
import { REGION } from './front-fixture';

/** Whom and what a request is signed for. */
export interface Signer {
  readonly port: number;
  readonly principals: { readonly developer: { readonly accessKeyId: string; readonly secretAccessKey: string } };
}

export interface ToSign {
  readonly method: string;
  readonly path: string;
  /** What is signed in place of the path's canonical form, for clients that get it wrong. */
  readonly signPath?: string;
  readonly query?: string;
  readonly service?: string;
  readonly body?: string;
  readonly payloadHash?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Headers of a request signed by hand, for what no SDK would send. */
export function signedHeaders(cloud: Signer, ask: ToSign): Record<string, string> {
  const { accessKeyId, secretAccessKey } = cloud.principals.developer;
  const payloadHash = ask.payloadHash ?? sha256Hex(ask.body ?? '');
  const amzDate = formatAmzDate(Date.now());
  const headers: Record<string, string> = {
    host: `127.0.0.1:${cloud.port}`,
    'x-amz-content-sha256': payloadHash,
    'x-amz-date': amzDate,
    ...ask.headers,
  };
  const names = Object.keys(headers).sort();
  const distinct = Object.fromEntries(names.map((n) => [n, [headers[n]!]]));
  const scope = { date: amzDate.slice(0, 8), region: REGION, service: ask.service ?? 's3' };
  const request = { method: ask.method, rawPath: ask.path, rawQuery: ask.query ?? '', headers: distinct };
  const lines = canonicalRequest(request, scope.service, names, payloadHash).split('\n');
  if (ask.signPath !== undefined) lines[1] = ask.signPath;
  const signature = hmac(signingKey(secretAccessKey, scope), stringToSign({ amzDate, scope }, sha256Hex(lines.join('\n')))).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scopeText(scope)}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { ...headers, authorization };
}
