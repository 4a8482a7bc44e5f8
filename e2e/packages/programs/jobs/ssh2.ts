import { text } from 'node:stream/consumers'
import ssh2 from 'ssh2'

const { Client, Server, utils } = ssh2

/** A server and a client of ssh2 on loopback: a key, a command, and its output. */
export async function run() {
  const hostKey = utils.generateKeyPairSync('ed25519')
  const userKey = utils.generateKeyPairSync('ed25519')
  const known = utils.parseKey(userKey.public)
  if (known instanceof Error || Array.isArray(known)) throw new Error('no key')
  const server = new Server({ hostKeys: [hostKey.private] }, client => {
    client.on('authentication', context => {
      if (context.method !== 'publickey') return context.reject(['publickey'])
      const signed = context.signature && context.blob
      if (signed && !known.verify(context.blob as Buffer, context.signature as Buffer, context.hashAlgo))
        return context.reject()
      context.accept()
    })
    client.on('session', accept => {
      accept().on('exec', (accept, _reject, { command }) => {
        const stream = accept()
        stream.write(`ran ${command}`)
        stream.exit(3)
        stream.end()
      })
    })
    client.on('error', () => {})
  })
  const port = await new Promise<number>(done => {
    server.listen(0, '127.0.0.1', () => done((server.address() as { port: number }).port))
  })
  const client = new Client()
  await new Promise<void>((done, fail) => {
    client.on('ready', done).on('error', fail)
    client.connect({ host: '127.0.0.1', port, username: 'ada', privateKey: userKey.private })
  })
  const { output, code } = await new Promise<{ output: string; code: number }>((done, fail) => {
    client.exec('uptime', (error, stream) => {
      if (error) return fail(error)
      let code = -1
      stream.on('exit', (given: number) => {
        code = given
      })
      void text(stream).then(output => done({ output, code }))
    })
  })
  client.end()
  server.close()
  return { output, code }
}
