import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { keepCompiled } from '../../../src/compile-cache.ts'
import { createLog } from '../../../src/log.ts'
import { version } from '../../../src/version.ts'
import { answers, edgeFolder } from './edge-folder.ts'
import { StateFile } from './state-file.ts'
import { Supervisor } from './supervisor.ts'

/**
 * `edge.js [data root]`: the edge as a program of its own. It holds the addresses and keeps the workers; the control plane with the
 * same data root says what to serve. SIGTERM ends it after its requests; SIGHUP starts fresh workers.
 */
const log = await createLog('longhouse-edge', { level: process.env.LOG_LEVEL })

async function main(dataRoot: string): Promise<void> {
  keepCompiled()
  const { edgeSocket, stateFile, pidFile } = edgeFolder(dataRoot)
  if (await answers(edgeSocket)) throw new Error(`another edge runs on ${dataRoot}; stop it first`)
  rmSync(edgeSocket, { force: true })
  writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 })

  const supervisor = new Supervisor({ log, version, file: new StateFile(stateFile, log) })
  let ending = false
  const end = () => {
    if (ending) return
    ending = true
    log.info('the edge ends')
    clearInterval(watch)
    // A control plane that comes now is for the next edge. This deletes the socket, too.
    server.close()
    void supervisor.stop().then(() => process.exit(0))
  }
  const server = createServer(socket => supervisor.connected(socket, end))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(edgeSocket, resolve)
  })
  // Without its socket no control plane finds this edge, and the next one could not have its addresses.
  const watch = setInterval(() => {
    if (existsSync(edgeSocket)) return
    log.error({ file: edgeSocket }, 'the socket of the edge was deleted')
    end()
  }, 2000)
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
  process.on('SIGHUP', () => void supervisor.renew())
  await supervisor.resume()
}

try {
  await main(process.argv[2] ?? process.env.LONGHOUSE_DATA_ROOT ?? './data')
} catch (error) {
  log.fatal((error as Error).message)
  process.exit(1)
}
