import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { programRoot } from '../../src/root.ts'
import { type Authority, makeAuthority } from '../../src/testing/authority.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { type Edge, startEdge } from '../router/edge.fixture.ts'
import { tls } from './index.ts'

export interface SecureEdge extends Edge {
  authority: Authority
  securePort: number
}

/** Writes a certificate for these names, and its key, into a folder. Returns the settings that name them. */
export function certificateFiles(authority: Authority, folder: string, ...names: string[]) {
  const { cert, key } = authority.sign(...names)
  const certificate = join(folder, 'fullchain.pem')
  const keyFile = join(folder, 'privkey.pem')
  writeFileSync(certificate, cert)
  writeFileSync(keyFile, key, { mode: 0o600 })
  return { TLS_MODE: 'files', TLS_CERTIFICATE_FILES: certificate, TLS_KEY_FILES: keyFile }
}

/** An edge that serves HTTPS for `example.test` and its subdomains. */
export async function startSecureEdge(env: Record<string, string> = {}): Promise<SecureEdge> {
  const releases: (() => unknown)[] = []
  const t = { after: (release: () => unknown) => void releases.push(release) } as Pick<TestContext, 'after'>
  const authority = makeAuthority(t)
  const files = certificateFiles(authority, temporaryFolder(t), 'example.test', '*.example.test')
  const settings = { LONGHOUSE_DOMAIN: 'example.test', TLS_PORT: '0', ...files, ...env }
  const edge = await startEdge(settings, undefined, [tls])
  if (edge.securePort === null) throw new Error('it serves no HTTPS')
  const stop = async () => {
    await edge.stop()
    for (const release of releases) release()
  }
  return { ...edge, authority, securePort: edge.securePort, stop }
}

/** What the health check of the containers prints and exits with. */
export async function containerCheck({ port }: Pick<Edge, 'port'>, proxies = ''): Promise<string> {
  const script = programRoot('docker/health-check.sh')
  const env = {
    LONGHOUSE_PORT: String(port),
    LONGHOUSE_DOMAIN: 'example.test',
    LONGHOUSE_PROXY_PROTOCOL: proxies,
  }
  return await new Promise(resolve => {
    execFile('bash', [script, '/health', 'control'], { env }, (error, printed) =>
      resolve(`${printed.trim()} ${error ? error.code : 0}`),
    )
  })
}

export interface Where {
  securePort: number
  authority: Authority
}

/** A connection that speaks TLS with the edge, for a host, and the protocol of these that the edge prefers. */
export async function dial(edge: Where, host: string, ...protocols: string[]): Promise<TLSSocket> {
  return await new Promise((resolve, reject) => {
    const socket = connectTls(
      {
        host: '127.0.0.1',
        port: edge.securePort,
        servername: host,
        ca: edge.authority.certificate,
        ALPNProtocols: protocols,
      },
      () => resolve(socket),
    )
    socket.once('error', reject)
  })
}

/** A client's connection of HTTP/2 for a host. */
export function session(edge: Where, host: string): ClientHttp2Session {
  const client = connect(`https://${host}:${edge.securePort}`, {
    ca: edge.authority.certificate,
    createConnection: (_, options) =>
      connectTls({
        ...(options as object),
        host: '127.0.0.1',
        port: edge.securePort,
        servername: host,
        ca: edge.authority.certificate,
        ALPNProtocols: ['h2'],
      }),
  })
  client.on('error', () => undefined)
  return client
}

export interface Reply2 {
  status: number
  headers: IncomingHttpHeaders
  trailers: IncomingHttpHeaders
  /** The answers before the answer, each with its status. */
  early: IncomingHttpHeaders[]
  body: string
}

/** One request over HTTP/2, with its whole answer. Rejects when the stream is reset. */
export async function ask2(
  client: ClientHttp2Session,
  headers: Record<string, string | string[]>,
  body?: string,
): Promise<Reply2> {
  const stream = client.request(headers, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  const early: IncomingHttpHeaders[] = []
  let trailers: IncomingHttpHeaders = {}
  stream.on('headers', each => early.push(each))
  stream.on('trailers', each => {
    trailers = each
  })
  const head = new Promise<IncomingHttpHeaders>((resolve, reject) => {
    stream.once('response', resolve)
    stream.once('error', reject)
    stream.once('close', () => reject(new Error(`reset with ${stream.rstCode}`)))
  })
  const answered = await head
  const whole = await text(stream)
  return { status: Number(answered[':status']), headers: answered, trailers, early, body: whole }
}
