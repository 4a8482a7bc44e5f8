import type { Db } from '../../src/storage/database.ts'
import type * as schema from './schema.ts'

export type NoticesDb = Db<typeof schema>
