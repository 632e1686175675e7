import { readBody } from '../body';
import type { Service, ServiceRequest, ServiceResponse } from '../service';
import { XML_TYPE, xmlDocument } from '../xml';
import type { Policies } from '../policy';
import { ACTIONS } from './actions';
import { dryRunEnds } from './dry-run';
import { invalidAction, unauthorized } from './errors';
import type { Fleet } from './fleet';
import { refuseChange } from './other-regions';
import type { OtherRegions } from './other-regions';
import { parseParams } from './query';
import type { FlatParams } from './query';
import { questionsOf } from './questions';
import type { Ec2State } from './state';

const NAMESPACE = 'http://ec2.amazonaws.com/doc/2016-11-15/';
const MAX_BODY_BYTES = 1024 * 1024;

export interface Ec2ServiceOptions {
  readonly state: Ec2State;
  readonly fleet: Fleet;
  readonly others: Pick<OtherRegions, 'state'>;
  readonly policies: Pick<Policies, 'refusal'>;
}

/** EC2's query protocol: a form in, XML out. */
export function createEc2Service({ state: home, fleet, others, policies }: Ec2ServiceOptions): Service {
  return {
    name: 'ec2',
    operation: ({ query }, form) => form?.get('Action') ?? query.get('Action') ?? '',
    async handle(request) {
      const flat = await readForm(request);
      const name = flat['Action'] ?? '';
      const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
      if (!action) throw invalidAction(name);
      const { region } = request;
      const isHome = region === home.network.region;
      const state = isHome ? home : others.state(region);
      const params = parseParams(flat);
      const call = { state, fleet, principal: request.principal, params, flat };
      for (const { action: asked, resource, conditions } of questionsOf(name, call)) {
        if (policies.refusal(request.principal, asked, resource, conditions) !== undefined) throw unauthorized();
      }
      if (!isHome) refuseChange(name, region);
      state.lag.called();
      const fields = await action(call);
      // Actions that change something have looked before.
      dryRunEnds(params);
      return answer(200, xmlDocument(`${name}Response`, { requestId: request.id, ...fields }, NAMESPACE));
    },
    renderError: (error, requestId) =>
      answer(
        error.status,
        xmlDocument('Response', { Errors: { Error: { Code: error.code, Message: error.message } }, RequestID: requestId }),
      ),
  };
}

async function readForm({ method, query, body }: ServiceRequest): Promise<FlatParams> {
  const form = method === 'POST' ? new URLSearchParams((await readBody(body, MAX_BODY_BYTES)).toString('utf8')) : query;
  return Object.fromEntries(form);
}

function answer(status: number, body: string): ServiceResponse {
  return { status, headers: { 'content-type': `${XML_TYPE};charset=UTF-8` }, body };
}
