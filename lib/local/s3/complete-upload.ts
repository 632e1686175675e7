import { createHash } from 'node:crypto';
import { readBody } from '../body';
import { CHECKSUM_NAMES, checksumOf } from '../checksums';
import { ServiceError, type ServiceResponse } from '../service';
import { childText, parseXml, type XmlNode } from '../xml';
import type { Bucket } from './bucket';
import { writeCondition } from './conditions';
import { type S3Call, wholeSeconds } from './context';
import { s3Errors } from './errors';
import { openBytes } from './object-file';
import { checksumElements, quoted } from './object-headers';
import { commit, requireWrite } from './put-object';
import type { NewObject, PartRecord, UploadRecord } from './record';
import { xmlReply } from './reply';
import { findUpload } from './upload-parts';
import type { Upload } from './uploads';

/** Every part but the last. Source: S3 user guide, "Multipart upload limits". */
const MIN_PART_BYTES = 5 * 1024 * 1024;
/** 10,000 parts with their checksums. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

export async function completeMultipartUpload(call: S3Call): Promise<ServiceResponse> {
  const { request, bucket, key, context } = call;
  requireWrite(call);
  const condition = writeCondition(request.headers, key);
  const listed = readList((await readBody(request.body, MAX_BODY_BYTES)).toString('utf8'));
  const upload = findUpload(call);
  const parts = choose(upload, listed);
  // Asked before the parts are joined, too: that may take a while.
  condition(bucket.objects.get(key));
  const { checksum } = upload.record;
  const whole = checksum?.type === 'FULL_OBJECT' ? { checksum: checksum.name } : {};
  const staged = await bucket.staging.receive(join(bucket, upload.record, parts), whole);
  const record: NewObject = {
    v: 1,
    key,
    bytes: staged.bytes,
    etag: etagOfParts(parts),
    modified: wholeSeconds(context.now()),
    headers: upload.record.headers,
    ...checksumOfParts(upload.record, parts, staged.checksum),
  };
  await commit(call, staged, record, (current) => {
    checkDeclared(call, record);
    findUpload(call);
    condition(current);
  });
  bucket.uploads.remove(upload.record.uploadId);
  return xmlReply('CompleteMultipartUploadResult', {
    Location: `http://${request.headers.host ?? 'localhost'}${request.rawPath}`,
    Bucket: bucket.record.name,
    Key: key,
    ETag: quoted(record.etag),
    ...checksumElements(record),
  });
}

function readList(body: string): readonly XmlNode[] {
  const root = parseXml(body);
  const parts = root?.children.filter((c) => c.name === 'Part') ?? [];
  if (root?.name !== 'CompleteMultipartUpload' || parts.length === 0) throw s3Errors.malformedXml();
  return parts;
}

/** The parts that the list names, checked against it. */
function choose(upload: Upload, listed: readonly XmlNode[]): PartRecord[] {
  let before = 0;
  const parts = listed.map((node) => {
    const number = Number(childText(node, 'PartNumber'));
    if (!(number > before))
      throw new ServiceError(
        400,
        'InvalidPartOrder',
        'The list of parts was not in ascending order. Parts must be ordered by part number.',
      );
    before = number;
    const part = upload.parts.get(number);
    if (!part || childText(node, 'ETag')?.trim().replaceAll('"', '') !== part.etag) throw invalidPart(upload.record.uploadId, number, part);
    checkPartChecksums(upload.record, node, part);
    return part;
  });
  const small = parts.slice(0, -1).find((part) => part.bytes < MIN_PART_BYTES);
  if (small) throw entityTooSmall(small);
  return parts;
}

function checkPartChecksums({ checksum, uploadId }: UploadRecord, node: XmlNode, part: PartRecord): void {
  for (const name of CHECKSUM_NAMES) {
    const given = childText(node, `Checksum${name.toUpperCase()}`);
    if (given !== undefined && given !== part.checksums[name]) throw invalidPart(uploadId, part.number, part);
    if (given === undefined && checksum?.type === 'COMPOSITE' && checksum.name === name) {
      throw s3Errors.invalidRequest(
        `The upload was created using a ${name} checksum. The complete request must include the checksum for each part. It was missing for part ${part.number} in the request.`,
      );
    }
  }
}

async function* join(bucket: Bucket, { uploadId }: UploadRecord, parts: readonly PartRecord[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    const bytes = openBytes(bucket.uploads.partPath(uploadId, part.number), 0, part.bytes);
    if (Buffer.isBuffer(bytes)) yield bytes;
    else yield* bytes as AsyncIterable<Buffer>;
  }
}

/** MD5 of the parts' MD5s, and their number: how S3 makes the tag of what came in parts. */
function etagOfParts(parts: readonly PartRecord[]): string {
  const md5 = createHash('md5');
  for (const part of parts) md5.update(Buffer.from(part.etag, 'hex'));
  return `${md5.digest('hex')}-${parts.length}`;
}

function checksumOfParts(
  { checksum }: UploadRecord,
  parts: readonly PartRecord[],
  whole: string | undefined,
): Pick<NewObject, 'checksums' | 'checksumType'> {
  if (!checksum) return { checksums: {} };
  const { name, type } = checksum;
  if (type === 'FULL_OBJECT') return { checksums: { [name]: whole! }, checksumType: type };
  const ofParts = Buffer.concat(parts.map((part) => Buffer.from(part.checksums[name]!, 'base64')));
  return { checksums: { [name]: `${checksumOf(name, ofParts)}-${parts.length}` }, checksumType: type };
}

/** What the request says of the whole: its size and its checksum. */
function checkDeclared({ request }: S3Call, record: NewObject): void {
  const size = request.headers['x-amz-mp-object-size'];
  if (size !== undefined && Number(size) !== record.bytes) {
    throw s3Errors.invalidRequest(
      `The provided 'x-amz-mp-object-size' header value ${String(size)} does not match what was computed: ${record.bytes}`,
    );
  }
  for (const name of CHECKSUM_NAMES) {
    const given = request.headers[`x-amz-checksum-${name}`];
    if (given === undefined || given === record.checksums[name] || given === record.checksums[name]?.replace(/-\d+$/, '')) continue;
    throw new ServiceError(400, 'BadDigest', `The ${name} you specified did not match the calculated checksum.`);
  }
}

function invalidPart(uploadId: string, number: number, part: PartRecord | undefined): ServiceError {
  return new ServiceError(
    400,
    'InvalidPart',
    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    { UploadId: uploadId, PartNumber: String(number), ...(part ? { ETag: part.etag } : {}) },
  );
}

function entityTooSmall(part: PartRecord): ServiceError {
  return new ServiceError(400, 'EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
    ProposedSize: String(part.bytes),
    MinSizeAllowed: String(MIN_PART_BYTES),
    PartNumber: String(part.number),
    ETag: part.etag,
  });
}
