import * as v from 'valibot';
import { busSource, decodeJson, RawcloudError } from '../contract';
import type { EventBus, Scaffold } from '../contract';
import type { AwsContext } from './clients';
import { callService, dnsSuffix, jsonCall } from './service-call';

const Answer = v.object({
  FailedEntryCount: v.number(),
  Entries: v.array(v.object({ ErrorCode: v.optional(v.string()), ErrorMessage: v.optional(v.string()) })),
});

/** The account's default event bus, without an SDK client: it is one call. */
export function createEventBus(context: AwsContext, scaffold: Pick<Scaffold, 'name' | 'region'>): EventBus {
  const { region, name } = scaffold;
  const to = { service: 'events', region, host: `events.${region}.${dnsSuffix(region)}`, what: 'events:PutEvents' };
  return {
    async put({ detailType, detail }) {
      const entry = { Source: busSource(name), DetailType: detailType, Detail: JSON.stringify(detail) };
      const text = await callService(context, jsonCall(to, 'AWSEvents.PutEvents', { Entries: [entry] }));
      const { FailedEntryCount, Entries } = decodeJson(Answer, Buffer.from(text), 'the answer of events:PutEvents');
      // A refused entry is no failed call.
      if (FailedEntryCount === 0) return;
      const { ErrorCode = 'Unknown', ErrorMessage = '' } = Entries[0] ?? {};
      throw new RawcloudError('E_AWS', `events:PutEvents did not take '${detailType}': ${ErrorCode}: ${ErrorMessage}`, { retryable: true });
    },
  };
}
