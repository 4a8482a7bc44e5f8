import type { Tables } from '../../src/database.ts'
import * as schema from './schema.ts'

export const syncTables: Tables<typeof schema> = { schema, migrations: 'runtime/sync/migrations' }
