import type { XmlContent, XmlFields } from '../xml';
import type { Tags } from './records';

/** A list as EC2 writes it: `<item>` for each member. */
export function set(members: readonly XmlContent[]): XmlContent {
  return members.length > 0 ? { item: members } : '';
}

export function tagSet(tags: Tags): XmlContent {
  return set(Object.entries(tags).map(([key, value]): XmlFields => ({ key, value })));
}

/** EC2 tells whole seconds. */
export function timestamp(ms: number): string {
  return new Date(Math.floor(ms / 1000) * 1000).toISOString();
}
