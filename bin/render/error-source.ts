import type { ErrorSource } from '../../lib/contract';

/** Who has to act on an error. */
export const SOURCE_TEXTS: Readonly<Record<ErrorSource, string>> = {
  user: 'You can mend it.',
  aws: 'It comes from AWS.',
  job: 'It comes from the job.',
  internal: 'It comes from rawcloud or from what is stored.',
};
