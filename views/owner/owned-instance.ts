import type { InstanceStatusName } from '../components/status.tsx'
import type { StepState } from '../components/steps.tsx'

/** An instance as its owner sees it. */
export interface OwnedInstanceView {
  subdomain: string
  url: string
  status: InstanceStatusName
  /** Whether requests for it reach it, whatever its status. */
  reachable: boolean
  desired: 'running' | 'stopped' | 'deleted'
  createdAt: number
  lastHealthAt: number | null
  deletedAt: number | null
  /** When its data will be deleted; null when it will not be. */
  purgeAt: number | null
  /** Why it may not run; null when it may. */
  suspension: string | null
  /** False for what needs no plan. */
  billed: boolean
  operation: OwnedWork | null
}

export interface OwnedWork {
  kind: string
  status: 'pending' | 'running' | 'succeeded' | 'failed' | 'superseded'
  createdAt: number
  startedAt: number | null
  finishedAt: number | null
  steps: readonly {
    name: string
    status: StepState
    startedAt: number | null
    finishedAt: number | null
  }[]
}

export const isBusy = ({ operation }: OwnedInstanceView): boolean =>
  operation?.status === 'pending' || operation?.status === 'running'
