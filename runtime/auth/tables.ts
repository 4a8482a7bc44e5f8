import type { Tables } from '../../src/database.ts'
import * as schema from './schema.ts'

export const authTables: Tables<typeof schema> = { schema, migrations: 'runtime/auth/migrations' }
