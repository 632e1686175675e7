import type { ServiceError, ServiceResponse } from '../service';
import { XML_TYPE, type XmlFields, xmlDocument } from '../xml';

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** 200 with a document. */
export function xmlReply(root: string, content: XmlFields | string, headers: Readonly<Record<string, string>> = {}): ServiceResponse {
  return { status: 200, headers: { 'content-type': XML_TYPE, ...headers }, body: xmlDocument(root, content, NAMESPACE) };
}

/** `2026-11-23T12:13:14.000Z`, as S3 writes times in documents. */
export function xmlTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** An error in S3's form. `x-amz-bucket-region` goes into the header of that name, where clients look for it. */
export function renderS3Error(error: ServiceError, requestId: string): ServiceResponse {
  const { 'x-amz-bucket-region': region, ...extra } = error.extra;
  const content = { Code: error.code, Message: error.message, ...extra, RequestId: requestId, HostId: requestId.replaceAll('-', '') };
  const headers: Record<string, string> = region === undefined ? {} : { 'x-amz-bucket-region': region };
  return { status: error.status, headers: { 'content-type': XML_TYPE, ...headers }, body: xmlDocument('Error', content) };
}
