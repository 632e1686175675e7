import type { Deviation } from './contract-tests';

/** What a page that is no answer of AWS's makes of the SDK. */
const NO_ANSWER = /XML parse error/;
/** The call was to be refused. */
const NOT_REFUSED = /promise resolved instead of rejected/;

/** Where a place is known not to do what the contract suites ask: the one list, for all suites and places. */
export const DEVIATIONS: readonly Deviation[] = [
  {
    place: 'local cloud',
    suite: 'EC2',
    test: 'shows the public address of a VM',
    shows: /undefined/,
    reason: 'its VMs are processes of this machine and have no address of their own; moto proves that we read it',
  },

  {
    place: 'moto',
    suite: 'the S3 store of clients',
    test: 'lists a key with a line end as it is',
    shows: NO_ANSWER,
    reason: 'its HTTP server takes a path with %0A for a page that is not there; no key of ours has a line end',
  },
  ...['the S3 store of clients', 'the S3 store of agents'].map((suite): Deviation => ({
    place: 'moto',
    suite,
    test: 'fails to store a body that has another hash than was given',
    shows: NOT_REFUSED,
    reason: 'it does not look at x-amz-content-sha256; the local cloud proves it',
  })),
  ...['reading', 'writing', 'writing first', 'swapping', 'deleting', 'listing', 'streaming in', 'streaming out'].map((call): Deviation => ({
    place: 'moto',
    suite: 'a bucket that is not ours',
    test: `fails for clients when it belongs to somebody else: ${call}`,
    shows: call === 'streaming out' ? /"E_AWS_REQUEST"/ : NOT_REFUSED,
    reason: 'it does not compare the owner that a call expects; the local cloud proves it',
  })),
  {
    place: 'moto',
    suite: 'EC2',
    test: 'the same request again, and twice at once, gives the same VM',
    shows: /Expected: 1\s+Received: 3/,
    reason: 'it takes no notice of ClientToken; the local cloud proves it',
  },
  {
    place: 'moto',
    suite: 'EC2',
    test: 'a launch that comes again after the end gives the VM that is gone',
    shows: /"id": "i-/,
    reason: 'it takes no notice of ClientToken; the local cloud proves it',
  },
  {
    place: 'moto',
    suite: 'EC2',
    test: 'fails when a token comes again with other parameters, and launches nothing',
    shows: NOT_REFUSED,
    reason: 'it takes no notice of ClientToken; the local cloud proves it',
  },
  {
    place: 'moto',
    suite: 'EC2',
    test: 'finds VMs by the token of their launch',
    shows: NO_ANSWER,
    reason: 'it answers 500 to the filter client-token; the local cloud proves it',
  },
  {
    place: 'moto',
    suite: 'EC2',
    test: 'launches as many as are asked for',
    shows: /Expected length: 3\s+Received length: 1/,
    reason: 'it launches MinCount and does not read MaxCount',
  },
  {
    place: 'moto',
    suite: 'EC2',
    test: 'fails, and launches nothing, for counts the wrong way round',
    shows: NOT_REFUSED,
    reason: 'it launches MinCount and does not read MaxCount',
  },
  {
    place: 'moto',
    suite: 'EC2',
    test: 'goes on from page to page, each VM once, of one large launch',
    shows: /Expected: >= 3\s+Received:\s+1/,
    reason: 'it counts reservations, not instances, for a page; many launches prove the paging',
  },
  {
    place: 'moto',
    suite: 'EC2',
    test: 'fails, and launches nothing, for a type that is not there',
    shows: /"InvalidInstanceType.NotFound"/,
    reason: 'it has a code of its own for this where EC2 says InvalidParameterValue; the class is the same',
  },
  {
    place: 'moto',
    suite: 'EC2',
    test: 'fails, and launches nothing, for a template that is not there',
    shows: /"E_AWS"/,
    reason: 'it answers 500, not 400',
  },
  {
    place: 'moto',
    suite: 'EC2',
    test: 'fails, and launches nothing, for an image of another architecture',
    shows: NOT_REFUSED,
    reason: 'it does not compare architectures',
  },
  {
    place: 'moto',
    suite: 'EC2',
    test: 'fails for tags of what is no VM',
    shows: NOT_REFUSED,
    reason: 'it tags whatever id it gets',
  },
  {
    place: 'moto',
    suite: 'EC2',
    test: 'fails for the end of what is no id',
    shows: NOT_REFUSED,
    reason: 'it calls what is no id not found, which to us is no error; EC2 calls it malformed',
  },
  {
    place: 'moto',
    suite: 'EC2',
    test: 'fails for keys that nobody knows',
    shows: NOT_REFUSED,
    reason: 'it takes any keys; the local cloud checks signatures',
  },
  {
    place: 'moto',
    suite: 'EC2',
    test: 'a VM has the instance profile of the template',
    shows: /undefined/,
    reason: 'it takes the profile from the call only; that the template names it, the tests of the scaffolding prove',
  },
  {
    place: 'moto',
    suite: 'EC2',
    test: 'a VM has the metadata options of the template',
    shows: /HttpTokens": "optional"/,
    reason: 'it takes metadata options from the call only; that the template has them, the tests of the scaffolding prove',
  },
  {
    place: 'moto',
    suite: 'EC2',
    test: 'a VM has one network interface that goes with it',
    shows: /DeleteOnTermination": false/,
    reason: 'it makes interfaces that stay, where EC2 makes the first one go with its VM',
  },
  {
    place: 'moto',
    suite: 'EC2',
    test: 'a VM that is gone leaves no network interface',
    shows: /NetworkInterfaceId/,
    reason: 'it makes interfaces that stay, where EC2 makes the first one go with its VM',
  },
  {
    place: 'moto',
    suite: 'EC2',
    test: 'the network interface of a VM is tagged',
    shows: /Array \[\]/,
    reason: 'it does not tag interfaces at launch; the local cloud proves it',
  },
  {
    place: 'moto',
    suite: 'EC2',
    test: 'the network interface of a VM is listed as in use',
    shows: /Array \[\]/,
    reason: 'it does not tag interfaces at launch; the local cloud proves it',
  },

  {
    place: 'moto',
    suite: 'the scaffolding',
    test: 'has a bucket that the public cannot be let into',
    shows: /access block configuration was not found/,
    reason: 'its CloudFormation drops this; test/constructs proves it on the template',
  },
  {
    place: 'moto',
    suite: 'the scaffolding',
    test: 'has a bucket that drops uploads that nobody finishes',
    shows: /lifecycle configuration does not exist/,
    reason: 'its CloudFormation drops this; test/constructs proves it on the template',
  },
  {
    place: 'moto',
    suite: 'the scaffolding',
    test: 'has a bucket whose grants only VMs may read',
    shows: /bucket policy does not exist/,
    reason: 'its CloudFormation has no AWS::S3::BucketPolicy; test/constructs proves it on the template',
  },
];
