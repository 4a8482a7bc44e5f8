// Stands in for the runtime in the matrix of crashes, where hundreds are started: a real process with the runtime's manners. It
// writes down each boot, and whether another process was on its volume.
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

const { LONGHOUSE_DATA_DIR: volume, LONGHOUSE_INSTANCE_ID: id, LONGHOUSE_PASSWORD: password } = process.env

const others = () =>
  readdirSync('/proc').filter(pid => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0')
      return environment.includes(`LONGHOUSE_DATA_DIR=${volume}`)
    } catch {
      return false
    }
  })

// A predecessor whose control plane was killed is ending.
for (let tries = 0; others().length > 0 && tries < 300; tries++)
  await new Promise(resolve => setTimeout(resolve, 20))
const doubled = others().length > 0
appendFileSync(join(volume, 'longhouse.db'), '')
appendFileSync(join(volume, 'boots'), `${JSON.stringify({ pid: process.pid, id, password, doubled })}\n`)

const server = createServer((request, response) => {
  const asked = request.headers['longhouse-instance']
  response.setHeader('Longhouse-Instance', id)
  if (asked && asked !== id) return response.writeHead(421).end('{}')
  response.writeHead(200, { 'Content-Type': 'application/json' })
  const file = join(volume, 'jobs/kept.txt')
  const kept = existsSync(file) ? readFileSync(file, 'utf8') : null
  response.end(JSON.stringify({ status: 'ok', instance_id: id, kept }))
})
server.listen(Number(process.env.LONGHOUSE_PORT), process.env.LONGHOUSE_HOST, () => {
  process.send?.({ type: 'listening', port: server.address().port })
})
process.on('disconnect', () => process.exit(0))
process.on('SIGTERM', () => {
  setTimeout(() => process.exit(0), 100)
  server.close(() => process.exit(0))
  server.closeIdleConnections()
})
