import type { EntranceSettings } from '../../../src/http/entrance/entrance.ts'
import type { EdgeReport, RouteChange } from '../contract.ts'
import type { EdgeSettings } from '../settings.ts'

/**
 * What the control plane, the supervisor and the workers of an edge tell each other. Fields and types that a reader does not
 * know are ignored, so that versions next to each other understand each other. A change that is more than an addition raises
 * `protocol`.
 */
export const protocol = 1

/** The program of the workers, by its path on this machine, and what it is made of. */
export interface WorkerProgram {
  path: string
  /** Differs between any two builds. */
  build: string
}

/** An address where the edge listens. */
export interface EdgeAddress {
  host: string
  /** 0: the system chooses. */
  port: number
  /** The setting that names the port. */
  setting: string
}

/** What a crew of workers is started with; when it differs, fresh workers take over. */
export interface Orders {
  program: WorkerProgram
  workers: number
  /** One for each door of the entrance, in their order. */
  addresses: readonly EdgeAddress[]
  entrance: EntranceSettings
  settings: EdgeSettings
}

export interface Misrouted {
  instanceId: string
  subdomain: string
  reason: string
}

/** The routes, as any number of messages that follow each other: `begin`, `routes` …, `complete`. */
export type StateMessage =
  | { type: 'begin' }
  | { type: 'routes'; changes: readonly RouteChange[] }
  /** The state is whole, up to the change with this number. */
  | { type: 'complete'; seq: number }

export type ChangeMessage = { type: 'change'; seq: number; change: RouteChange }

/** Whether the control plane answers requests. */
export type ControlMessage = { type: 'control'; here: boolean }

/** Every message from a control plane to the supervisor. */
export type ToSupervisor =
  | { type: 'hello'; protocol: number; version: string; pid: number }
  /** Followed by the state. */
  | { type: 'orders'; orders: Orders }
  | StateMessage
  | ChangeMessage
  | ControlMessage
  /** Without `compare: false` the answers have fingerprints. They take a worker tens of milliseconds with thousands of routes. */
  | { type: 'ask'; id: number; compare?: boolean | undefined }
  /** Ends the edge. Understood by every version, and before `hello`. */
  | { type: 'end' }
  /** A worker whose supervisor died lets go of its addresses once there is a new one. */
  | { type: 'orphan'; pid: number }

export interface WorkerStatus {
  pid: number
  build: string
  state: 'starting' | 'serving' | 'draining'
}

export interface EdgeStatus {
  workers: readonly WorkerStatus[]
  /** Workers that ended by themselves, since the supervisor started. */
  crashes: number
  /** How the last one ended, in words. */
  lastCrash: string | null
}

/** What each worker counted since it was last asked, and what those counted that ended since. */
export interface EdgeFigures {
  workers: readonly WorkerFigures[]
  ended: EdgeReport | null
}

export interface WorkerFigures {
  pid: number
  /** Of the routes that it has, when asked to compare. */
  fingerprint?: string
  /** Why it cannot use certificates, in words that begin with the file. */
  certificateFaults?: readonly string[]
  report: EdgeReport
}

/** Every message from the supervisor to a control plane. */
export type ToControlPlane =
  | { type: 'welcome'; protocol: number; version: string; pid: number }
  | { type: 'refused'; reason: 'taken' | 'protocol'; words: string }
  /** Workers serve as ordered, at these ports. */
  | { type: 'serving'; ports: readonly number[] }
  /** The orders cannot be followed; what served before still does. */
  | { type: 'failed'; words: string; code?: string; at?: EdgeAddress }
  /** A change was missed: the whole state is wanted. */
  | { type: 'resend' }
  | { type: 'misrouted'; event: Misrouted }
  | { type: 'status'; status: EdgeStatus }
  | { type: 'answer'; id: number; figures: EdgeFigures }
  /** To an orphan: its addresses are wanted. */
  | { type: 'noted' }

/** Every message from the supervisor to a worker. */
export type ToWorker =
  /** The first one. `ports` are those of the inherited listeners, from file descriptor 4 on. */
  | { type: 'orders'; orders: Orders; ports: readonly number[] }
  | StateMessage
  | ChangeMessage
  | ControlMessage
  | { type: 'ask'; id: number; compare?: boolean | undefined }
  /** Ends when the connections have. With `handOver`, others accept at the same addresses, and no request may fail for it. */
  | { type: 'drain'; handOver: boolean }

/** Every message from a worker to the supervisor. */
export type FromWorker =
  | { type: 'serving' }
  | { type: 'misrouted'; event: Misrouted }
  | { type: 'answer'; id: number; figures: WorkerFigures }
  /** The last message of a worker that drains. */
  | { type: 'figures'; figures: WorkerFigures }
