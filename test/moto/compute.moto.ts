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

// Its instances go from one state to the next within the call.
describeCompute({ place: 'moto', at, whenGone: () => Promise.resolve() });
describeAccount('moto', at);
