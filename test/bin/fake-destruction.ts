import type { Remaining } from '../../lib/contract';
import type { DestroyEvent } from '../../lib/runtime';

export const LEFT: readonly Remaining[] = [{ kind: 'volume', id: 'vol-1', region: 'us-east-1' }];

/** A removal in which everything happens once. */
export const DESTRUCTION: readonly DestroyEvent[] = [
  {
    type: 'survey',
    survey: {
      name: 'default',
      account: '123456789012',
      region: 'us-east-1',
      bucket: 'rawcloud-1',
      ownBucket: true,
      stack: 'RawCloud',
      jobs: [{ job: 'j1', name: 'nightly', command: 'sleep 9', state: 'running' }],
      remaining: [
        { kind: 'template', id: 'lt-1', region: 'us-east-1' },
        { kind: 'bucket', id: 'rawcloud-1', region: 'us-east-1' },
      ],
    },
  },
  { type: 'stopping', job: 'j1' },
  { type: 'stopped', job: 'j1' },
  { type: 'exported', file: '/tmp/book.jsonl', jobs: 2 },
  { type: 'emptying', bucket: 'rawcloud-1', objects: 1204 },
  { type: 'removing', what: 'stack RawCloud' },
  { type: 'removed', what: 'stack RawCloud' },
  { type: 'proof', remaining: [], regions: 17 },
];
