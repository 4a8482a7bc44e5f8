import { silentLog } from '../../../src/log.ts'
import { Lines } from './lines.ts'

/** Writes more lines to standard output than a pipe takes, and tells its parent how many were dropped. */
const lines = new Lines(null, silentLog)
const line = `${'x'.repeat(199)}\n`
const count = 100_000
for (let i = 0; i < count; i++) lines.write(line)
await lines.close()
process.send?.({ count, dropped: lines.takeDropped() })
process.exit(0)
