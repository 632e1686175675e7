import { ServiceError } from '../service';
import { invalidParameter } from './errors';
import { structures, text } from './query';
import type { Params } from './query';
import type { Tags } from './records';

/** Source: EC2 user guide, "Tag your Amazon EC2 resources": restrictions. */
const MAX_TAGS = 50;
const MAX_KEY = 127;
const MAX_VALUE = 255;

/** The list `Tag.n.Key`, `Tag.n.Value`. @throws InvalidParameterValue, TagLimitExceeded */
export function readTags(params: Params): Tags {
  const tags = structures(params, 'Tag').map((tag) => [text(tag, 'Key') ?? '', text(tag, 'Value') ?? ''] as const);
  for (const [key, value] of tags) {
    if (key === '') throw invalidParameter('Tag key cannot be empty');
    if (isReservedTag(key)) throw invalidParameter("Tag keys starting with 'aws:' are reserved for internal use");
    if (key.length > MAX_KEY) throw invalidParameter(`Tag key exceeds the maximum length of ${MAX_KEY} characters`);
    if (value.length > MAX_VALUE) throw invalidParameter(`Tag value exceeds the maximum length of ${MAX_VALUE} characters`);
  }
  const keys = tags.map(([key]) => key);
  const twice = keys.find((key, i) => keys.indexOf(key) !== i);
  if (twice !== undefined) throw invalidParameter(`Duplicate tag key '${twice}' specified.`);
  return checkTagCount(Object.fromEntries(tags));
}

/** Tags that AWS gives itself; they count towards no limit. */
export function isReservedTag(key: string): boolean {
  return key.toLowerCase().startsWith('aws:');
}

/** @throws TagLimitExceeded */
export function checkTagCount(tags: Tags): Tags {
  const count = Object.keys(tags).filter((key) => !isReservedTag(key)).length;
  if (count > MAX_TAGS)
    throw new ServiceError(400, 'TagLimitExceeded', `The maximum number of Tags for a resource has been reached: ${count} of ${MAX_TAGS}.`);
  return tags;
}
