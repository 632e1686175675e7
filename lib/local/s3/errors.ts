import { ServiceError } from '../service';

/** The errors of S3 that more than one operation makes, in S3's words. Source: S3 API reference, "Error responses". */
export const s3Errors = {
  accessDenied: (why = 'Access Denied') => new ServiceError(403, 'AccessDenied', why),
  noSuchBucket: (bucket: string) => new ServiceError(404, 'NoSuchBucket', 'The specified bucket does not exist', { BucketName: bucket }),
  noSuchKey: (key: string) => new ServiceError(404, 'NoSuchKey', 'The specified key does not exist.', { Key: key }),
  noSuchUpload: (uploadId: string) =>
    new ServiceError(
      404,
      'NoSuchUpload',
      'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
      { UploadId: uploadId },
    ),
  preconditionFailed: (condition: string) =>
    new ServiceError(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', { Condition: condition }),
  invalidArgument: (message: string, name: string, value: string) =>
    new ServiceError(400, 'InvalidArgument', message, { ArgumentName: name, ArgumentValue: value }),
  invalidRequest: (message: string) => new ServiceError(400, 'InvalidRequest', message),
  malformedXml: () =>
    new ServiceError(400, 'MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema'),
  notImplemented: (what: string) => new ServiceError(501, 'NotImplemented', `The local cloud does not implement ${what}`),
} as const;
