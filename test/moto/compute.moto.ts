import type { AwsContext } from '../../lib/aws/clients';
import type { Scaffold } from '../../lib/contract';
import { describeAccount } from '../contract/account-suite';
import { describeCompute } from '../contract/compute-suite';
import { openMoto, readScaffold } from './moto';

let aws: AwsContext;
let scaffold: Scaffold;

beforeAll(async () => {
  aws = await openMoto();
  scaffold = await readScaffold(aws, 'default');
});
afterAll(() => aws.close());

const at = () => ({ aws, scaffold });

describeCompute({
  place: 'moto',
  // Of a name of their own: no reaper is to take the suite's VMs for leftovers of the scaffolding's.
  at: () => ({ aws, scaffold: { ...scaffold, name: 'contract' } }),
  // moto's instances go from one state to the next within the call.
  whenGone: () => Promise.resolve(),
});
describeAccount('moto', at);
