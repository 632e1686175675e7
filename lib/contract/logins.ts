/**
 * Logins of the developer, besides AWS, that can travel with a job when asked for. SSH agents are not among them: whoever
 * reaches one can use every key in it, for everything.
 */
export const LOGINS = ['git', 'huggingface', 'gcp', 'kube'] as const;
export type Login = (typeof LOGINS)[number];

/**
 * Files of a job's home directory, by path relative to it: their bytes in base64. Secret: they travel in the sealed object
 * and the grant only.
 */
export type HomeFiles = Readonly<Record<string, string>>;

/** What all of them together may weigh before base64; the grant holds them, and is read by the bootstrap. */
export const MAX_HOME_FILES_BYTES = 1_000_000;
