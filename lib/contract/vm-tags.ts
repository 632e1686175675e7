import { RawcloudError } from './errors';
import type { Scaffold } from './scaffold';
import { TAG_PREFIX } from './tags';

/** EC2 allows 50 tags on a resource; five are ours, with Name. Source: EC2 user guide, "Tag restrictions". */
export const MOST_TAGS = 45;
const MOST_KEY = 128;
const MOST_VALUE = 256;

/**
 * Everything that is wrong with tags for VMs, in words. EC2 takes any character but what cannot be printed.
 * Source: EC2 user guide, "Tag restrictions".
 */
export function problemsOfTags(tags: Readonly<Record<string, string>>): string[] {
  const entries = Object.entries(tags);
  const reserved = entries.filter(([key]) => key.toLowerCase().startsWith('aws:') || key.startsWith(TAG_PREFIX) || key === 'Name');
  const long = entries.filter(([key, value]) => key.length === 0 || key.length > MOST_KEY || value.length > MOST_VALUE);
  const odd = entries.filter(([key, value]) => /\p{Cc}/u.test(key + value));
  return [
    ...reserved.map(([key]) => `tag '${key}' is reserved; allowed are keys that are not Name and do not start with aws: or ${TAG_PREFIX}`),
    ...long.map(
      ([key]) =>
        `tag '${key.slice(0, 40)}' is too long or empty; allowed are keys of 1 to ${MOST_KEY} and values of up to ${MOST_VALUE} characters`,
    ),
    ...odd.map(([key]) => `tag ${JSON.stringify(key.slice(0, 40))} holds a control character; allowed are all that can be printed`),
    ...(entries.length > MOST_TAGS ? [`${entries.length} tags are too many; allowed are ${MOST_TAGS}`] : []),
  ];
}

/**
 * A job's own tags beside those that the scaffolding demands: none may say otherwise.
 * @throws E_NOT_ALLOWED
 */
export function checkTagsBeside({ name, vmTags = {} }: Pick<Scaffold, 'name' | 'vmTags'>, tags: Readonly<Record<string, string>>): void {
  const other = Object.keys(tags).filter((key) => key in vmTags && vmTags[key] !== tags[key]);
  if (other.length > 0) {
    const said = other.map((key) => `${key}=${tags[key]}, but every VM of scaffolding '${name}' has ${key}=${vmTags[key]}`);
    throw new RawcloudError('E_NOT_ALLOWED', `a tag says otherwise than the account's owner: ${said.join('; ')}`, {
      remedy: `Leave out ${other.map((key) => `--tag ${key}=…`).join(' ')}: VM, disk and interface get the owner's value by themselves.`,
    });
  }
  const count = Object.keys({ ...vmTags, ...tags }).length;
  if (count <= MOST_TAGS) return;
  throw new RawcloudError(
    'E_NOT_ALLOWED',
    `${count} tags are too many: EC2 allows 50, five are rawcloud's, ${Object.keys(vmTags).length} those of scaffolding '${name}'`,
    { remedy: `Give at most ${MOST_TAGS - Object.keys(vmTags).length} with --tag.` },
  );
}
