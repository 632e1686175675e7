import { ServiceError } from '../service';
import type { InstanceRecord, InstanceState } from './records';

/** What a caller can want of an instance's power; 'interrupt' is EC2 itself taking a spot VM back. */
export type PowerWish = 'terminate' | 'stop' | 'start' | 'interrupt';

const BY_USER = { code: 'Client.UserInitiatedShutdown', message: 'Client.UserInitiatedShutdown: User initiated shutdown' };
const BY_INSTANCE = { code: 'Client.InstanceInitiatedShutdown', message: 'Client.InstanceInitiatedShutdown: Instance initiated shutdown' };
const INTERNAL_ERROR = { code: 'Server.InternalError', message: 'Server.InternalError: Internal error on launch' };
const SPOT_TAKEN = { code: 'Server.SpotInstanceTermination', message: 'Server.SpotInstanceTermination: Spot instance termination' };
const HOST_FAILED = { code: 'Server.InternalError', message: 'Server.InternalError: Internal error' };

/** `User initiated (2026-11-23 12:00:00 GMT)` */
function userInitiated(now: number): string {
  return `User initiated (${new Date(now).toISOString().slice(0, 19).replace('T', ' ')} GMT)`;
}

/** Nothing happens any more unless somebody wants it. */
export function endOfState(state: InstanceState): boolean {
  return state === 'terminated' || state === 'stopped';
}

/**
 * The instance as it is once a wish was heard; the same object when it is so already.
 * @throws IncorrectInstanceState
 */
export function requested(instance: InstanceRecord, wish: PowerWish, now: number): InstanceRecord {
  const { state } = instance;
  if (wish === 'terminate') {
    if (state === 'shutting-down' || state === 'terminated') return instance;
    return { ...instance, state: 'shutting-down', stateReason: BY_USER, transition: userInitiated(now) };
  }
  if (wish === 'interrupt') {
    if (state === 'shutting-down' || state === 'terminated') return instance;
    return { ...instance, state: 'shutting-down', stateReason: SPOT_TAKEN, transition: SPOT_TAKEN.code };
  }
  if (wish === 'stop') {
    if (instance.spot) throw oneTimeSpot(instance);
    if (state === 'stopping' || state === 'stopped') return instance;
    if (state === 'running') return { ...instance, state: 'stopping', stateReason: BY_USER, transition: userInitiated(now) };
    throw incorrectState(instance, 'stopped');
  }
  if (state === 'pending' || state === 'running') return instance;
  if (state !== 'stopped') throw incorrectState(instance, 'started');
  const { stateReason: _past, ...rest } = instance;
  return { ...rest, state: 'pending', transition: '', launchedAt: now };
}

/** The instance as it is after its machine went off. */
export function powerChange(instance: InstanceRecord, exit: 'poweroff' | 'killed' | 'crashed', now: number): InstanceRecord {
  switch (instance.state) {
    case 'shutting-down':
      return { ...instance, state: 'terminated', terminatedAt: now };
    case 'stopping':
      return { ...instance, state: 'stopped' };
    case 'pending':
      return { ...instance, state: 'terminated', terminatedAt: now, stateReason: INTERNAL_ERROR, transition: '' };
    default:
      break;
  }
  if (exit !== 'poweroff') return { ...instance, state: 'terminated', terminatedAt: now, stateReason: HOST_FAILED, transition: '' };
  // EC2 tells no time here, though it was no user: seen in answers of DescribeInstances.
  const ended = { ...instance, stateReason: BY_INSTANCE, transition: 'User initiated' };
  return instance.onShutdown === 'stop' ? { ...ended, state: 'stopped' } : { ...ended, state: 'terminated', terminatedAt: now };
}

function oneTimeSpot({ id }: InstanceRecord): ServiceError {
  const message =
    `You can't stop the Spot Instance '${id}' because it is associated with a one-time Spot Instance request. ` +
    'You can only stop Spot Instances associated with persistent Spot Instance requests.';
  return new ServiceError(400, 'UnsupportedOperation', message);
}

function incorrectState({ id, state }: InstanceRecord, wanted: string): ServiceError {
  return new ServiceError(
    400,
    'IncorrectInstanceState',
    `The instance '${id}' is not in a state from which it can be ${wanted} (${state}).`,
  );
}
