import type { Tables } from '../../src/database.ts'
import * as schema from './schema.ts'

export const secretsTables: Tables<typeof schema> = { schema, migrations: 'runtime/secrets/migrations' }
