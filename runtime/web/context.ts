import type { Clock } from '../../src/clock.ts'
import type { Guard } from '../../src/http/route.ts'
import type { Engine } from '../contract.ts'

/** What the routes stand on. */
export interface WebContext {
  /** Throws the Problem `starting` until there is one. */
  engine(): Engine
  signedIn: Guard
  clock: Clock
  /** The jobs repo's folder. */
  repoFolder: string
  /** Aborts when the program stops, so that answers that never end by themselves do. */
  stopping: AbortSignal
}
