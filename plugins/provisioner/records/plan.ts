import type { Desired, InstanceStatus, OperationKind } from '../contract.ts'

/** What a step is called in the journal and on pages. What each one does is in `steps.ts`. */
export type StepName =
  | 'check volume'
  | 'prepare volume'
  | 'prepare image'
  | 'prepare successor'
  | 'stop routing'
  | 'hold requests'
  | 'stop container'
  | 'remove container'
  | 'create container'
  | 'start container'
  | 'wait until healthy'
  | 'copy data'
  | 'keep data'
  | 'fetch kept data'
  | 'fetch copy'
  | 'swap volume'
  | 'put back data'
  | 'put back image and data'
  | 'delete previous data'
  | 'delete volume'

export interface Plan {
  /** The desired state from then on; null leaves it as it is. */
  desired: Desired | null
  /** Each step, with the status that the instance has from then on. */
  steps: readonly { name: StepName; status?: InstanceStatus }[]
  /** The instance's status when all steps are done. */
  end: InstanceStatus
  /** What is done when a step from `from` to `to` fails. The operation has failed all the same. */
  undo?: { from: StepName; to: StepName; steps: Plan['steps']; words: string }
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

/** Requests wait at the edge until the instance is back. */
const pause: Plan['steps'] = [{ name: 'hold requests', status: 'provisioning' }, { name: 'stop container' }]

const restoreUndone = 'What it did was undone.'
const upgradeUndone = 'The previous image and data are back.'
const rollbackUndone = 'The image and the data that it had are back.'

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
      to: 'wait until healthy',
      steps: [{ name: 'stop container' }, { name: 'put back data' }, ...bringUp],
      words: restoreUndone,
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
  restart: { desired: 'running', steps: [...prepare, ...pause, ...bringUp], end: 'running' },
  // Stopped first: the data that are kept are those that the old version left, and no other process writes them.
  upgrade: {
    desired: null,
    steps: [...prepare, { name: 'copy data' }, ...pause, { name: 'keep data' }, ...bringUp],
    end: 'running',
    undo: {
      from: 'keep data',
      to: 'wait until healthy',
      steps: [
        { name: 'stop container' },
        { name: 'put back image and data' },
        ...bringUp,
        { name: 'delete previous data' },
      ],
      words: upgradeUndone,
    },
  },
  // Its copy is made while it still runs, and requests wait only for the swap.
  rollback: {
    desired: null,
    steps: [
      { name: 'prepare image' },
      { name: 'prepare successor' },
      { name: 'fetch kept data' },
      { name: 'copy data' },
      ...pause,
      { name: 'swap volume' },
      ...bringUp,
      { name: 'delete previous data' },
    ],
    end: 'running',
    undo: {
      from: 'swap volume',
      to: 'wait until healthy',
      steps: [
        { name: 'stop container' },
        { name: 'put back image and data' },
        ...bringUp,
        { name: 'delete previous data' },
      ],
      words: rollbackUndone,
    },
  },
  // Stopped before anything else can fail: the old password must stop working whatever happens next. The rest is retried
  // like a start.
  'reset-password': {
    desired: 'running',
    steps: [...takeDown('stopping'), { name: 'prepare image', status: 'provisioning' }, ...bringUp],
    end: 'running',
  },
  // Stopped first, for the same reason. The new owner gets nothing before there is a copy of what the previous one left.
  transfer: {
    desired: null,
    steps: [
      ...takeDown('stopping'),
      { name: 'copy data' },
      { name: 'prepare image', status: 'provisioning' },
      ...bringUp,
    ],
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
  steps: [{ name: 'prepare image' }, { name: 'copy data' }, ...takeDown('stopping'), { name: 'keep data' }],
  end: 'stopped',
}

const rollbackOfStopped: Plan = {
  desired: null,
  steps: [
    { name: 'prepare image' },
    { name: 'fetch kept data' },
    { name: 'copy data' },
    ...takeDown('stopping'),
    { name: 'swap volume' },
    { name: 'delete previous data' },
  ],
  end: 'stopped',
  undo: {
    from: 'swap volume',
    to: 'swap volume',
    steps: [{ name: 'put back image and data' }, { name: 'delete previous data' }],
    words: rollbackUndone,
  },
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
  undo: { from: 'swap volume', to: 'swap volume', steps: [{ name: 'put back data' }], words: restoreUndone },
}

const plansOfStopped: Partial<Record<OperationKind, Plan>> = {
  transfer: {
    desired: null,
    steps: [...takeDown('stopping'), { name: 'copy data' }],
    end: 'stopped',
  },
  upgrade: upgradeOfStopped,
  rollback: rollbackOfStopped,
  restore: restoreOfStopped,
}

/** The plan of an operation on an instance that is meant to be `wanted` now. */
export function planOf(kind: OperationKind, wanted: Desired): Plan {
  return (wanted === 'stopped' && plansOfStopped[kind]) || plans[kind]
}

/**
 * Returns the step after which the record says that the instance has the image: the last one before its container is made. Until
 * then a failure, or another operation, leaves the instance with the image that it has. Null when the plan brings no image.
 */
export function pinsAfter({ steps }: Plan): StepName | null {
  const names = steps.map(({ name }) => name)
  if (!names.includes('prepare image')) return null
  const made = names.indexOf('prepare volume')
  if (made > 0) return names[made - 1] ?? null
  return names.find(name => name === 'keep data' || name === 'swap volume') ?? null
}

/** Whether an open operation already does what a request for `asked` wants, on an instance that should be `wanted`. */
export function covers(open: OperationKind, asked: OperationKind, wanted: Desired): boolean {
  if (open === asked) return true
  if (asked === 'start') return planOf(open, wanted).end === 'running'
  return asked === 'deprovision' && open === 'purge'
}
