import type { Tables } from '../../src/database.ts'
import * as schema from './schema.ts'

export const tokenTables: Tables<typeof schema> = { schema, migrations: 'runtime/tokens/migrations' }
