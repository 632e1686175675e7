import { BOOT_SCRIPT } from './boot-script';

/** What a VM must know before it has read its grant; the same for every VM of a scaffolding, and no secret. */
export interface UserDataInput {
  readonly bucket: string;
  readonly region: string;
  /** Unique id of the VM role (`AROA…`): IMDS does not tell it. */
  readonly roleId: string;
}

/** EC2 takes so many bytes of user data before base64. Source: EC2 user guide, "Run commands on your Linux instance at launch". */
export const USER_DATA_LIMIT_BYTES = 16 * 1024;

/** From boot until the agent has taken over the deadline, seconds. */
export const BOOT_DEADLINE_S = 900;
/** How long a VM waits for its grant, seconds. */
export const GRANT_WAIT_S = 120;

/** How long a VM waits for what, seconds. */
export interface BootLimits {
  /** @default {@link BOOT_DEADLINE_S} */
  readonly bootDeadlineS?: number;
  /** @default {@link GRANT_WAIT_S} */
  readonly grantWaitS?: number;
}

/**
 * User data: a constant bash script that arms the guard, reads the VM's grant, fetches Node and agent by hash, and
 * powers off when the agent ends, however it ends. Nothing in it is secret or differs from job to job.
 */
export function userData(input: UserDataInput, { bootDeadlineS = BOOT_DEADLINE_S, grantWaitS = GRANT_WAIT_S }: BootLimits = {}): string {
  const values: Readonly<Record<string, string>> = {
    BUCKET: input.bucket,
    REGION: input.region,
    ROLE_ID: input.roleId,
    BOOT_DEADLINE_S: String(bootDeadlineS),
    GRANT_WAIT_S: String(grantWaitS),
  };
  return BOOT_SCRIPT.replace(/@([A-Z_]+)@/g, (placeholder, name: string) => values[name] ?? placeholder);
}
