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
  | 'delete volume'

export interface Plan {
  /** The desired state from then on; null leaves it as it is. */
  desired: Desired | null
  /** Each step, with the status that the instance has from then on. */
  steps: readonly { name: StepName; status?: InstanceStatus }[]
  /** The instance's status when all steps are done. */
  end: InstanceStatus
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
  restart: { desired: 'running', steps: [...prepare, ...takeDown('stopping'), ...bringUp], end: 'running' },
  upgrade: { desired: null, steps: [...prepare, ...takeDown('stopping'), ...bringUp], end: 'running' },
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
    steps: [...takeDown('deprovisioning'), { name: 'remove container' }, { name: 'delete volume' }],
    end: 'deleted',
  },
}

/** A stopped instance gets another image and stays stopped. */
const upgradeOfStopped: Plan = {
  desired: null,
  steps: [{ name: 'prepare image' }, ...takeDown('stopping')],
  end: 'stopped',
}

/** The plan of an operation on an instance that is meant to be `wanted` now. */
export function planOf(kind: OperationKind, wanted: Desired): Plan {
  return kind === 'upgrade' && wanted === 'stopped' ? upgradeOfStopped : plans[kind]
}

/** Whether an open operation already does what a request for `asked` wants, on an instance that should be `wanted`. */
export function covers(open: OperationKind, asked: OperationKind, wanted: Desired): boolean {
  if (open === asked) return true
  if (asked === 'start') return planOf(open, wanted).end === 'running'
  return asked === 'deprovision' && open === 'purge'
}
