import { openSqlite, openTables } from '../../src/storage/database.ts'
import * as schema from './schema.ts'

// Migrates a database by migrations that call `end_process()` somewhere.
const [, , file = '', migrations = ''] = process.argv
const sqlite = openSqlite(file)
sqlite.function('end_process', () => process.kill(process.pid, 'SIGKILL'))
openTables(sqlite, 'provisioner', { schema, migrations })
