import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, isIP } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createServer } from 'node:tls'
import { temporaryFolder } from './folder.ts'

export interface Authority {
  /** Its own certificate, in PEM form, and the file that holds it. */
  certificate: string
  file: string
  /** Makes a key, and signs a certificate for IP addresses or hosts. */
  sign(...names: string[]): { key: string; cert: string }
}

/** A certificate authority that no system trusts. Needs openssl. */
export function makeAuthority(t: Pick<TestContext, 'after'>): Authority {
  const dir = temporaryFolder(t)
  const openssl = (args: string) =>
    execFileSync('openssl', args.split(' '), { cwd: dir, encoding: 'utf8', stdio: 'pipe' })
  const fresh = '-nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -batch -keyout'
  const certificate = openssl(`req -x509 ${fresh} ca.key -days 2 -subj /CN=Authority.of.the.test`)
  const file = join(dir, 'ca.pem')
  writeFileSync(file, certificate)
  return {
    certificate,
    file,
    sign: (...names) => {
      const listed = names.map(name => `${isIP(name) ? 'IP' : 'DNS'}:${name}`)
      writeFileSync(join(dir, 'request.pem'), openssl(`req ${fresh} key.pem -subj /CN=${names[0]}`))
      writeFileSync(join(dir, 'names'), `subjectAltName=${listed.join(',')}\n`)
      const cert = openssl(
        'x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names',
      )
      return { key: readFileSync(join(dir, 'key.pem'), 'utf8'), cert }
    },
  }
}

/** Speaks TLS at an address of this machine, before a server on loopback that does not. Answers with its URL. */
export async function behindTls(
  t: TestContext,
  certificate: { key: string; cert: string },
  url: string,
  host = '127.0.0.1',
): Promise<string> {
  const { port, pathname } = new URL(url)
  const server = createServer(certificate, socket => {
    const behind = connect(Number(port), '127.0.0.1')
    socket.pipe(behind).pipe(socket)
    socket.on('error', () => behind.destroy())
    behind.on('error', () => socket.destroy())
  })
  await new Promise<void>(done => server.listen(0, host, done))
  t.after(() => server.close())
  return `https://${host}:${(server.address() as AddressInfo).port}${pathname}`
}
