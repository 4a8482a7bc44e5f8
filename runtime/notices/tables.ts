import type { Tables } from '../../src/database.ts'
import * as schema from './schema.ts'

export type NoticesSchema = typeof schema

export const noticesTables: Tables<NoticesSchema> = { schema, migrations: 'runtime/notices/migrations' }
