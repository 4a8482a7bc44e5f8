import type { Tables } from '../../src/database.ts'
import * as schema from './schema.ts'

export const stateTables: Tables<typeof schema> = { schema, migrations: 'runtime/state/migrations' }
