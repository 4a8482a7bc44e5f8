import { jobRegistry } from 'longhouse/jobs'
import { run as drizzle } from './jobs/drizzle'
import { run as ioredis } from './jobs/ioredis'
import { run as knexPg } from './jobs/knex-pg'
import { run as knexSqlite } from './jobs/knex-sqlite'
import { run as mongodb } from './jobs/mongodb'
import { run as mysql } from './jobs/mysql'
import { run as prisma } from './jobs/prisma'

const cron = '@daily'

jobRegistry.register({ id: 'knex-pg', cron, func: knexPg })
jobRegistry.register({ id: 'knex-sqlite', cron, func: knexSqlite })
jobRegistry.register({ id: 'mysql', cron, func: mysql })
jobRegistry.register({ id: 'mongodb', cron, func: mongodb })
jobRegistry.register({ id: 'ioredis', cron, func: ioredis })
jobRegistry.register({ id: 'drizzle', cron, func: drizzle })
jobRegistry.register({ id: 'prisma', cron, func: prisma })
