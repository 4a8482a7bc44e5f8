import type { Tables } from '../../src/database.ts'
import * as schema from './schema.ts'

export const badgeTables: Tables<typeof schema> = { schema, migrations: 'runtime/badges/migrations' }
