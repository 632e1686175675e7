import type { PutObjectCommand } from '@aws-sdk/client-s3';

/**
 * Signs a write by a hash of its body that is known already: the signer takes it from its header, and would compute it
 * otherwise, 16 MiB in ten milliseconds. S3 refuses a body that has another one.
 */
export function signWithHash(command: PutObjectCommand, sha256: string): void {
  command.middlewareStack.add(
    (next) => (args) => {
      if (hasHeaders(args.request)) args.request.headers['x-amz-content-sha256'] = sha256;
      return next(args);
    },
    { step: 'build', name: 'rawcloudPayloadHash' },
  );
}

function hasHeaders(request: unknown): request is { headers: Record<string, string> } {
  return typeof request === 'object' && request !== null && 'headers' in request;
}
