import { z } from 'zod'
import { setting } from '../../src/kernel/config.ts'
import '../auth/contract.ts'
import '../packages/contract.ts'
import '../repo/contract.ts'
import '../secrets/contract.ts'
import '../state/contract.ts'
import '../volume/contract.ts'
import './contract.ts'
import * as schema from './schema.ts'

/** What jobs declares of itself: its needs, its settings, its tables, the hook that it asks. */
export const declaration = {
  name: 'jobs',
  needs: ['auth', 'packages', 'repo', 'secrets', 'state', 'volume'],
  asks: { 'before-first-load': 'any' },
  config: z.object({
    /** For jobs without a zone of their own. */
    LONGHOUSE_TIMEZONE: setting.timezone().default('UTC'),
    /** How many runs may be in progress at the same time; the others wait in order. */
    LONGHOUSE_RUNS_AT_ONCE: setting.integer(1, 1000).prefault('8'),
    /** How many runs of each job are kept, and for how long. */
    LONGHOUSE_KEEP_RUNS: setting.integer(1, 100_000).prefault('500'),
    LONGHOUSE_KEEP_FOR: setting.duration('1h', '3650d').prefault('90d'),
  }),
  tables: { schema, migrations: 'runtime/jobs/migrations' },
} as const
