import { openSqlite, openTables } from '../../src/storage/database.ts'
import * as schema from './schema.ts'

// Migrates a database. One of the migrations calls `end_process()`, which kills this process.
const [, , file = '', migrations = ''] = process.argv
const sqlite = openSqlite(file)
sqlite.function('end_process', () => process.kill(process.pid, 'SIGKILL'))
openTables(sqlite, 'provisioner', { schema, migrations })
