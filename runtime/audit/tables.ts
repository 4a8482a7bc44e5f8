import type { Tables } from '../../src/database.ts'
import * as schema from './schema.ts'

export const auditTables: Tables<typeof schema> = { schema, migrations: 'runtime/audit/migrations' }
