import type { Desired, InstanceStatus, OperationKind } from '../contract.ts'

/** What a step is called in the journal and on pages. What each one does is in `steps.ts`. */
export type StepName =
  | 'check volume'
  | 'prepare volume'
  | 'prepare image'
  | 'prepare successor'
  | 'stop routing'
  | 'stop container'
  | 'remove container'
  | 'create container'
  | 'start container'
  | 'wait until healthy'
  | 'copy data'
  | 'fetch copy'
  | 'swap volume'
  | 'put back data'
  | 'delete previous data'
  | 'delete volume'

export interface Plan {
  /** The desired state from then on; null leaves it as it is. */
  desired: Desired | null
  /** Each step, with the status that the instance has from then on. */
  steps: readonly { name: StepName; status?: InstanceStatus }[]
  /** The instance's status when all steps are done. */
  end: InstanceStatus
  /** What is done when the step `from`, or a later one, fails. The operation has failed all the same. */
  undo?: { from: StepName; steps: Plan['steps'] }
}

// What can fail without harm comes first, while the instance still runs: a missing volume or image, limits beyond the host's.
const prepare: Plan['steps'] = [
  { name: 'check volume' },
  { name: 'prepare image' },
  { name: 'prepare successor' },
]
const bringUp: Plan['steps'] = [
  { name: 'prepare volume', status: 'provisioning' },
  { name: 'create container' },
  { name: 'start container' },
  { name: 'wait until healthy' },
]
const takeDown = (status: InstanceStatus): Plan['steps'] => [
  { name: 'stop routing', status },
  { name: 'stop container' },
]

/**
 * Every operation as its list of steps, for an instance that is meant to run. Each step ensures rather than does, so a list
 * may be run again from its top.
 */
const plans: Readonly<Record<OperationKind, Plan>> = {
  provision: {
    desired: 'running',
    steps: [{ name: 'prepare image', status: 'provisioning' }, ...bringUp],
    end: 'running',
  },
  start: {
    desired: 'running',
    steps: [{ name: 'prepare image', status: 'provisioning' }, ...bringUp],
    end: 'running',
  },
  stop: { desired: 'stopped', steps: takeDown('stopping'), end: 'stopped' },
  // Everything that takes long, or can fail without harm, comes first. The data of before stay until the instance answers.
  restore: {
    desired: null,
    steps: [
      { name: 'prepare image' },
      { name: 'prepare successor' },
      { name: 'fetch copy' },
      ...takeDown('stopping'),
      { name: 'copy data' },
      { name: 'swap volume' },
      ...bringUp,
      { name: 'delete previous data' },
    ],
    end: 'running',
    undo: {
      from: 'stop container',
      steps: [{ name: 'stop container' }, { name: 'put back data' }, ...bringUp],
    },
  },
  'restore-new': {
    desired: 'running',
    steps: [
      { name: 'prepare image', status: 'provisioning' },
      { name: 'fetch copy' },
      { name: 'swap volume' },
      ...bringUp,
      { name: 'delete previous data' },
    ],
    end: 'running',
  },
  restart: { desired: 'running', steps: [...prepare, ...takeDown('stopping'), ...bringUp], end: 'running' },
  upgrade: {
    desired: null,
    steps: [...prepare, { name: 'copy data' }, ...takeDown('stopping'), ...bringUp],
    end: 'running',
  },
  // Stopped before anything else can fail: the old password must stop working whatever happens next. The rest is retried
  // like a start.
  'reset-password': {
    desired: 'running',
    steps: [...takeDown('stopping'), { name: 'prepare image', status: 'provisioning' }, ...bringUp],
    end: 'running',
  },
  deprovision: {
    desired: 'deleted',
    steps: [...takeDown('deprovisioning'), { name: 'remove container' }],
    end: 'deleted',
  },
  purge: {
    desired: 'deleted',
    steps: [
      ...takeDown('deprovisioning'),
      { name: 'remove container' },
      { name: 'copy data' },
      { name: 'delete volume' },
    ],
    end: 'deleted',
  },
}

/** A stopped instance gets another image and stays stopped. */
const upgradeOfStopped: Plan = {
  desired: null,
  steps: [{ name: 'prepare image' }, { name: 'copy data' }, ...takeDown('stopping')],
  end: 'stopped',
}

const restoreOfStopped: Plan = {
  desired: null,
  steps: [
    { name: 'fetch copy' },
    ...takeDown('stopping'),
    { name: 'copy data' },
    { name: 'swap volume' },
    { name: 'delete previous data' },
  ],
  end: 'stopped',
  undo: { from: 'swap volume', steps: [{ name: 'put back data' }] },
}

/** The plan of an operation on an instance that is meant to be `wanted` now. */
export function planOf(kind: OperationKind, wanted: Desired): Plan {
  if (wanted === 'stopped' && kind === 'upgrade') return upgradeOfStopped
  if (wanted === 'stopped' && kind === 'restore') return restoreOfStopped
  return plans[kind]
}

/** Whether an open operation already does what a request for `asked` wants, on an instance that should be `wanted`. */
export function covers(open: OperationKind, asked: OperationKind, wanted: Desired): boolean {
  if (open === asked) return true
  if (asked === 'start') return planOf(open, wanted).end === 'running'
  return asked === 'deprovision' && open === 'purge'
}
