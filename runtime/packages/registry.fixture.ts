import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'

export interface Registry {
  url: string
  /** What was asked for, such as `GET /greeting`. */
  asked: string[]
  publish(name: string, version: string, files: Record<string, string | Buffer>, manifest?: object): void
  /** Answers everything with this status from now on; null answers as it should. */
  fails(status: number | null): void
  /** Answers only to this token from now on. */
  requires(token: string): void
  /** Answers nothing more until it is called with true; or no request for such a path. */
  answers(yes: boolean, path?: RegExp): void
  close(): Promise<void>
  open(): Promise<void>
}

interface Version {
  manifest: object
  tarball: Buffer
}

export interface RegistryOptions {
  /** The address of this machine to listen at; loopback by default. */
  host?: string
  /** Of a server that speaks TLS. */
  certificate?: { key: string; cert: string }
}

/** A registry of packages: real tarballs by HTTP, as npm asks for them. */
export async function startRegistry(
  t: TestContext,
  { host = '127.0.0.1', certificate }: RegistryOptions = {},
): Promise<Registry> {
  const packages = new Map<string, Map<string, Version>>()
  const asked: string[] = []
  let answering = Promise.withResolvers<void>()
  answering.resolve()
  let held = /^/
  let port = 0
  let failing: number | null = null
  let token: string | null = null
  const url = () => `http${certificate ? 's' : ''}://${host}:${port}`

  const answer: RequestListener = async (request, response) => {
    const path = decodeURIComponent(request.url ?? '')
    asked.push(`${request.method} ${path}`)
    if (held.test(path)) await answering.promise
    if (failing !== null) {
      response.writeHead(failing).end('{}')
      return
    }
    if (token !== null && request.headers.authorization !== `Bearer ${token}`) {
      response.writeHead(401).end('{}')
      return
    }
    const [, name = '', version] = /^\/(.+?)(?:\/-\/(.+)\.tgz)?$/.exec(path) ?? []
    const versions = packages.get(name)
    const tarball = version && versions?.get(version)?.tarball
    if (!versions || tarball) {
      response.writeHead(tarball ? 200 : 404).end(tarball || '{}')
      return
    }
    const listed = [...versions].map(([number, { manifest, tarball }]) => [
      number,
      {
        ...manifest,
        dist: {
          tarball: `${url()}/${name}/-/${number}.tgz`,
          integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
        },
      },
    ])
    const latest = [...versions.keys()].at(-1)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ name, 'dist-tags': { latest }, versions: Object.fromEntries(listed) }))
  }
  const server = certificate ? createTlsServer(certificate, answer) : createServer(answer)
  const open = () =>
    new Promise<void>(done => {
      server.listen(port, host, () => {
        port = (server.address() as AddressInfo).port
        done()
      })
    })
  const close = () =>
    new Promise<void>(done => {
      server.close(() => done())
      server.closeAllConnections()
    })
  await open()
  t.after(close)
  return {
    get url() {
      return url()
    },
    asked,
    publish: (name, version, files, manifest = {}) => {
      const own = { name, version, type: 'module', exports: './index.js', ...manifest }
      const tarball = pack({ ...files, 'package.json': JSON.stringify(own) })
      const versions = packages.get(name) ?? new Map<string, Version>()
      packages.set(name, versions.set(version, { manifest: own, tarball }))
    },
    fails: status => {
      failing = status
    },
    requires: given => {
      token = given
    },
    answers: (yes, path = /^/) => {
      held = path
      if (yes) answering.resolve()
      else answering = Promise.withResolvers()
    },
    open,
    close,
  }
}

function pack(files: Record<string, string | Buffer>): Buffer {
  const dir = mkdtempSync(join(tmpdir(), 'longhouse-package-'))
  try {
    mkdirSync(join(dir, 'package'))
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(dir, 'package', name)), { recursive: true })
      writeFileSync(join(dir, 'package', name), content)
    }
    return execFileSync('tar', ['-czf', '-', 'package'], { cwd: dir, maxBuffer: 256 * 1024 * 1024 })
  } finally {
    rmSync(dir, { recursive: true })
  }
}
