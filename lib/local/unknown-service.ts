import { type Service, ServiceError } from './service';
import { XML_TYPE, xmlDocument } from './xml';

/** Stands in for a service that the local cloud does not have: refuses every call by name. */
export function unknownService(name: string, known: readonly string[]): Service {
  const refusal = new ServiceError(501, 'NotImplemented', `The local cloud has no service '${name}'; it has ${known.join(', ')}.`);
  return {
    name,
    operation: () => '',
    handle: () => Promise.reject(refusal),
    renderError: (error, requestId) => ({
      status: error.status,
      headers: { 'content-type': XML_TYPE },
      body: xmlDocument('ErrorResponse', { Error: { Type: 'Sender', Code: error.code, Message: error.message }, RequestId: requestId }),
    }),
  };
}
