import type { Clock } from '../../src/clock.ts'
import type { Access } from '../auth/contract.ts'
import type { Notices } from './notices.ts'

/** What the routes of the notices need. */
export interface NoticesWeb {
  notices: Notices
  access: Access
  clock: Clock
}
