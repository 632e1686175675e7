/** A CloudFormation stack, as far as its removal needs to know it. */
export interface FoundStack {
  readonly id: string;
  readonly name: string;
  /** Of its template. */
  readonly description: string;
  readonly resources: readonly StackResource[];
}

export interface StackResource {
  readonly logicalId: string;
  readonly physicalId: string;
  readonly type: string;
}

/** Description of the stack of `rawcloud deploy` and of `cdk deploy` in a clone: by it `destroy` knows it again. */
export const SCAFFOLD_STACK_DESCRIPTION = 'rawcloud: the scaffolding for jobs on VMs of their own';

/** Id of the construct in that stack: the logical ids of all its resources begin with it. */
export const SCAFFOLD_CONSTRUCT_ID = 'RawCloud';

/** Name of that stack. */
export function scaffoldStackName(scaffold: string): string {
  return scaffold === 'default' ? SCAFFOLD_CONSTRUCT_ID : `${SCAFFOLD_CONSTRUCT_ID}-${scaffold}`;
}

/** Resources of a stack that are none of the scaffolding's: a stack with some is not ours to delete. */
export function foreignResources({ resources }: Pick<FoundStack, 'resources'>): readonly StackResource[] {
  return resources.filter(({ logicalId, type }) => !logicalId.startsWith(SCAFFOLD_CONSTRUCT_ID) && type !== 'AWS::CDK::Metadata');
}

/** Whether nobody but us has anything in a stack. */
export function isScaffoldStack(stack: FoundStack): boolean {
  return stack.description === SCAFFOLD_STACK_DESCRIPTION && foreignResources(stack).length === 0;
}

/** How far the deletion of a stack is. */
export type StackEnd =
  | { readonly state: 'going' }
  | { readonly state: 'gone' }
  /** It stands still, and why. */
  | { readonly state: 'failed'; readonly reason: string };

/** One version of an object; of a bucket that is not versioned the only one. */
export interface ObjectVersion {
  readonly key: string;
  readonly versionId?: string;
}

/** Something of the scaffolding's that is still there. */
export interface Remaining {
  readonly kind: 'vm' | 'volume' | 'interface' | 'template' | 'group' | 'bucket' | 'parameter' | 'stack';
  readonly id: string;
  readonly region: string;
}

/** What takes a scaffolding away. Failures are RawcloudErrors; what is gone already is no error. */
export interface Demolition {
  readonly region: string;
  /** The stack that made a resource; undefined when none did. @param likely name of a stack to look into as well */
  stackOf(physicalId: string, likely: string): Promise<FoundStack | undefined>;
  deleteStack(id: string): Promise<void>;
  stackEnd(id: string): Promise<StackEnd>;
  /** The first versions and delete markers below a prefix, at most 1000: whoever deletes them finds the next ones here. */
  firstVersions(bucket: string, prefix: string, signal?: AbortSignal): Promise<ObjectVersion[]>;
  /** At most 1000. @throws E_PERMISSION … for the first that stays */
  deleteVersions(bucket: string, versions: readonly ObjectVersion[], signal?: AbortSignal): Promise<void>;
  /** Ends unfinished uploads. @returns how many */
  abortUploads(bucket: string, signal?: AbortSignal): Promise<number>;
  bucketIsThere(bucket: string): Promise<boolean>;
  deleteBucket(bucket: string): Promise<void>;
  parameterIsThere(name: string): Promise<boolean>;
  deleteParameter(name: string): Promise<void>;
}
