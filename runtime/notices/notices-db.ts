import type { Db } from '../../src/database.ts'
import type * as schema from './schema.ts'

export type NoticesDb = Db<typeof schema>
