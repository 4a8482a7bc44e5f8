// Stands in for the runtime where a test is about the provisioner: a real process with the runtime's manners, which
// misbehaves as the file `behave` in its volume says.
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

const { LONGHOUSE_DATA_DIR: volume, LONGHOUSE_INSTANCE_ID: id } = process.env
const behave = () =>
  existsSync(join(volume, 'behave')) ? readFileSync(join(volume, 'behave'), 'utf8').trim() : 'well'

appendFileSync(join(volume, 'boots'), `${process.pid}\n`)
appendFileSync(join(volume, 'longhouse.db'), '')
if (behave() === 'crash') {
  console.error('line one of the disaster')
  console.error('line two of the disaster')
  process.exit(3)
}
if (process.env.GREETING) appendFileSync(join(volume, 'greetings'), `${process.env.GREETING}\n`)
if (existsSync(join(volume, 'speak'))) {
  console.log(`hello, ${process.env.GREETING}`)
  console.log(readFileSync(join(volume, 'speak'), 'utf8'))
  console.error(`the key is ${process.env.LONGHOUSE_SECRET_KEY}`)
}
if (behave() === 'crash-at-once') process.exit(5)
if (behave() === 'deaf') setInterval(() => {}, 1000)
if (behave() === 'crash-later') setTimeout(() => process.exit(4), 300)

const looks = join(volume, 'looks')
const server = createServer((request, response) => {
  const mood = behave()
  if (request.url === '/api/health') appendFileSync(looks, '.')
  const asked = request.headers['longhouse-instance']
  response.setHeader('Longhouse-Instance', mood === 'impostor' ? 'inst_other' : id)
  if (asked && asked !== id) return response.writeHead(421).end('{}')
  if (mood === 'hang') return
  if (request.url === '/events') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    return response.write('data: 1\n\n')
  }
  if (mood === 'full' && request.url === '/api/health') {
    response.writeHead(503, { 'Content-Type': 'application/json' })
    const checks = { disk: 'the disk is full', scheduler: 'ok', manifest: 'error' }
    return response.end(JSON.stringify({ status: 'failing', instance_id: id, checks }))
  }
  const healthy = mood === 'well' || mood === 'impostor' || mood === 'full'
  response.writeHead(healthy ? 200 : 503, { 'Content-Type': 'application/json' })
  response.end(
    JSON.stringify({ status: mood, instance_id: mood === 'impostor' ? 'inst_other' : id, path: request.url }),
  )
})
server.on('upgrade', (_, socket) => {
  const head = `HTTP/1.1 101 Switching Protocols\r\nLonghouse-Instance: ${id}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
  socket
    .on('error', () => {})
    .on('end', () => socket.end())
    .resume()
    .write(head)
})
if (behave() !== 'deaf')
  server.listen(Number(process.env.LONGHOUSE_PORT), process.env.LONGHOUSE_HOST, () => {
    process.send?.({ type: 'listening', port: server.address().port })
  })
process.on('disconnect', () => process.exit(0))
process.on('SIGTERM', () => {
  setTimeout(() => process.exit(0), 300)
  server.close(() => process.exit(0))
  server.closeIdleConnections()
})
