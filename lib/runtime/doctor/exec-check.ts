import { findRawcloudError } from '../../contract';
import type { Look } from './finding';

/** Whether VMs of running jobs may be entered. It is for the owner to allow: where he does not, nothing is wrong. */
export const exec: Look = async (facts) => {
  const { scaffold, compute } = await facts.premises();
  const document = scaffold.exec?.document;
  if (document === undefined) {
    const how = 'its owner allows it with new RawCloud(this, …, { allowExec: true })';
    return { state: 'ok', text: `this scaffolding does not allow rawcloud exec; ${how}`, data: { allowed: false } };
  }
  const data = { allowed: true, document };
  const vms = await compute.describe({ scaffold: scaffold.name }, facts.signal ? { signal: facts.signal } : {});
  const vm = vms.find(({ state }) => state === 'running');
  if (!vm) return { state: 'ok', text: 'rawcloud exec is allowed; ssm:StartSession not tried (no VM of ours runs)', data };
  try {
    const found = await facts.deps.look.tryEnter(vm.id, document, facts.signal);
    const text = `rawcloud exec is allowed, to these keys, too: ssm:StartSession of ${vm.id} by ${document}`;
    return {
      state: 'ok',
      text: found === 'reached' ? text : `${text}; that VM's SSM agent has not reported`,
      data: { ...data, vm: found },
    };
  } catch (error) {
    const refused = findRawcloudError(error);
    if (refused?.code !== 'E_PERMISSION') throw error;
    return {
      state: 'warning',
      text: `rawcloud exec is allowed, but ssm:StartSession of ${vm.id} by ${document} is denied to these keys`,
      remedy: `Ask an administrator for grantRun of the scaffolding, or for ssm:StartSession on its VMs and on the document ${document}.`,
      data: { ...data, denied: 'ssm:StartSession' },
    };
  }
};
