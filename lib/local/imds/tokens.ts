import { createHmac, timingSafeEqual } from 'node:crypto';

/** Allowed lifetimes, seconds. Source: EC2 user guide, "Use IMDSv2". */
export const TOKEN_SECONDS = { min: 1, max: 21_600 } as const;

/**
 * Session tokens of one instance's metadata service. They say themselves until when they are good, signed with the
 * instance's key: so they outlive the process that made them, as a VM's SDK, which holds one for hours, expects.
 */
export class ImdsTokens {
  readonly #secret: string;
  readonly #now: () => number;

  constructor(secret: string, now: () => number) {
    this.#secret = secret;
    this.#now = now;
  }

  issue(seconds: number): string {
    const until = this.#now() + seconds * 1000;
    return Buffer.from(`${until}.${this.#sign(until)}`).toString('base64url');
  }

  isValid(token: string): boolean {
    const [until, signature] = Buffer.from(token, 'base64url').toString('latin1').split('.');
    if (signature === undefined || !(Number(until) > this.#now())) return false;
    const [got, wanted] = [Buffer.from(signature), Buffer.from(this.#sign(Number(until)))];
    return got.byteLength === wanted.byteLength && timingSafeEqual(got, wanted);
  }

  #sign(until: number): string {
    return createHmac('sha256', this.#secret).update(String(until)).digest('hex');
  }
}
