import { RawcloudError } from '../../contract';
import type { JobView, Scaffold } from '../../contract';

/** The VM of a job that can be entered. @throws E_NOT_ALLOWED, E_JOB_STATE with what to do */
export function execTarget(
  view: JobView,
  scaffold: Pick<Scaffold, 'name' | 'exec'>,
): { readonly instance: string; readonly document: string } {
  if (!scaffold.exec) {
    throw new RawcloudError('E_NOT_ALLOWED', `scaffolding '${scaffold.name}' does not allow VMs to be entered`, {
      remedy: 'Its owner allows it with new RawCloud(this, …, { allowExec: true }); jobs started after that can be entered.',
    });
  }
  const { job, state, objects } = view;
  const fail = (text: string, remedy: string): never => {
    throw new RawcloudError('E_JOB_STATE', `job ${job} ${text}`, { remedy });
  };
  if (objects.outcome) {
    fail(
      `is ${state === 'ended' ? 'over' : 'ending'} (${objects.outcome.value.outcome}), and its VM with it; only a running job can be entered`,
      `What it wrote: rawcloud logs ${job}`,
    );
  }
  const vm = view.vms.findLast((one) => one.state !== 'gone' && one.state !== 'ending');
  if (!vm) return fail('has no VM yet', `Wait until its command runs: rawcloud status ${job}`);
  if (vm.state !== 'busy') {
    fail(`is not running its command yet: the VM is ${vm.state}`, `Wait until it is: rawcloud logs -f ${job}`);
  }
  return { instance: vm.id, document: scaffold.exec.document };
}
