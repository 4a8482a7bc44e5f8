import type { Clock } from '../../src/clock.ts'
import type { Guard } from '../../src/http/route.ts'
import type { Access } from '../auth/guard.ts'
import type { BadgeStore } from '../badges/badge.ts'
import type { Engine } from '../contract.ts'

/** How long an answer waits for a load. A load that takes longer goes on, and the answer says so. */
export interface Patience {
  pageMs: number
  /** What a save in the editor waits on top while no packages are being installed, as on a busy host. */
  busyPageMs: number
  apiMs: number
}

/** Loads without an installation of packages take less. */
export const usualPatience: Patience = { pageMs: 5000, busyPageMs: 20_000, apiMs: 10_000 }

/** What the routes stand on. */
export interface WebContext extends Access {
  /** Of the first page: `signedIn`, or a token that signs in. */
  front: Guard
  /** Throws the Problem `starting` until there is one. */
  engine(): Engine
  clock: Clock
  badges: BadgeStore
  /** The instance's address as people see it. */
  origin: string
  /** The jobs repo's folder. */
  repoFolder: string
  /** The address of the script that makes a text area an editor. */
  editorScript: string
  patience: Patience
  /** Aborts when the program stops, so that answers that never end by themselves do. */
  stopping: AbortSignal
}
