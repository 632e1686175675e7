import { addObject, noObjects, view } from '../../lib/contract';
import type { Instance, JobView, ObservedObject } from '../../lib/contract';
import { execTarget } from '../../lib/runtime/exec/target';
import { beat, instance, launched, objects, outcome, PREFIX, START, VM } from '../fakes/records';

const ALLOWED = { name: 'default', exec: { document: 'rawcloud-default-exec' } };

function see(seen: readonly ObservedObject[], instances: readonly Instance[] = [instance()]): JobView {
  return view([objects.spec(), ...seen].reduce(addObject, noObjects(PREFIX)), { instances, current: true }, START + 60_000);
}

const RUNNING = [objects.launch(launched({ rev: 1 }), START), objects.beat(beat({ rev: 7, phase: 'busy' }), START + 59_000)];

describe('what can be entered', () => {
  test('is the VM whose command runs', () => {
    expect(execTarget(see(RUNNING), ALLOWED)).toEqual({ instance: VM, document: 'rawcloud-default-exec' });
  });

  test('fails where the scaffolding does not allow it, with what its owner has to write', () => {
    expect(() => execTarget(see(RUNNING), { name: 'team' })).toThrow("scaffolding 'team' does not allow VMs to be entered");
    expect(() => execTarget(see(RUNNING), { name: 'team' })).toThrow(
      expect.objectContaining({ code: 'E_NOT_ALLOWED', remedy: expect.stringContaining('allowExec: true') }),
    );
  });

  test('fails before there is a VM, and while it boots or prepares', () => {
    const booting = [objects.launch(launched({ rev: 1 }), START)];
    const preparing = [...booting, objects.beat(beat({ rev: 2, phase: 'preparing' }), START + 59_000)];
    expect(() => execTarget(see([], []), ALLOWED)).toThrow('has no VM yet');
    expect(() => execTarget(see(booting), ALLOWED)).toThrow('is not running its command yet: the VM is booting');
    expect(() => execTarget(see(preparing), ALLOWED)).toThrow('is not running its command yet: the VM is preparing');
  });

  test('fails when the job is over', () => {
    const over = [...RUNNING, objects.outcome(outcome({ outcome: 'failed', exitCode: 3 }), START + 59_500)];
    expect(() => execTarget(see(over), ALLOWED)).toThrow(
      expect.objectContaining({ code: 'E_JOB_STATE', message: expect.stringContaining('(failed), and its VM with it') }),
    );
  });
});
