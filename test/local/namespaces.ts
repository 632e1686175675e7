import { execFileSync } from 'node:child_process';
import { canMapUsers } from '../../lib/local/drivers/namespace-users';

/** Whether this machine has what namespace machines rest on, asked without our own code; '' when it has. */
function whyNot(): string {
  try {
    execFileSync('unshare', ['--user', '--map-root-user', '--net', '--mount', '--pid', '--fork', 'mount', '-t', 'proc', 'proc', '/proc'], {
      stdio: 'pipe',
    });
    return '';
  } catch (error) {
    return error instanceof Error ? error.message.trim() : String(error);
  }
}

const why = whyNot();

/** Tests that need namespaces: passed over, with the reason in their name, where there are none. */
export const namespaces = {
  describe: (name: string, tests: () => void): void =>
    why === '' ? describe(name, tests) : describe.skip(`${name} (no namespaces on this machine: ${why})`, tests),
  withUsers: (name: string, run: () => Promise<void>): void => (canMapUsers() ? test(name, run) : test.skip(`${name} (needs root)`, run)),
};
