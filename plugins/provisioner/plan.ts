import type { Desired, InstanceStatus, OperationKind } from './schema.ts'

/** What a step is called in the journal and on pages. What each one does is in `steps.ts`. */
export type StepName =
  | 'check volume'
  | 'prepare volume'
  | 'prepare image'
  | 'stop routing'
  | 'stop container'
  | 'remove container'
  | 'create container'
  | 'start container'
  | 'wait until healthy'
  | 'delete volume'

export interface Plan {
  desired: Desired
  /** Each step, with the status that the instance has from then on. */
  steps: readonly { name: StepName; status?: InstanceStatus }[]
  /** The instance's status when all steps are done. */
  end: InstanceStatus
}

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

/** Every operation as its list of steps. Each step ensures rather than does, so a list may be run again from its top. */
export const plans: Readonly<Record<OperationKind, Plan>> = {
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
  // The volume and the image first: what can fail without harm fails while the instance still runs.
  restart: {
    desired: 'running',
    steps: [{ name: 'check volume' }, ...takeDown('stopping'), ...bringUp],
    end: 'running',
  },
  upgrade: {
    desired: 'running',
    steps: [{ name: 'check volume' }, { name: 'prepare image' }, ...takeDown('stopping'), ...bringUp],
    end: 'running',
  },
  // It may stand in for a provisioning that had not come far: so the image, too.
  'reset-password': {
    desired: 'running',
    steps: [{ name: 'check volume' }, { name: 'prepare image' }, ...takeDown('stopping'), ...bringUp],
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

/** True when an open operation of one kind already does what the other asks for. */
export function covers(open: OperationKind, asked: OperationKind): boolean {
  if (open === asked) return true
  if (asked === 'start') return plans[open].desired === 'running'
  return asked === 'deprovision' && open === 'purge'
}
