import type { TestContext } from 'node:test'
import { builtRoot } from '../../src/root.ts'
import { type TestFleet, testFleet } from '../provisioner/fleet.fixture.ts'
import { backup } from './index.ts'
import type { WireBackup } from './wire.ts'

export interface BackupFleet extends TestFleet {
  /** Makes a copy and waits for it. */
  copy(subdomain: string): Promise<WireBackup>
  copies(subdomain: string): Promise<WireBackup[]>
  /** Asks an instance as its owner, who signs in first. */
  asOwner(subdomain: string, password: string): Promise<OwnerSession>
}

export interface OwnerSession {
  get<T>(path: string): Promise<{ status: number; body: T }>
  post<T>(path: string, body?: unknown): Promise<{ status: number; body: T }>
  put<T>(path: string, body?: unknown): Promise<{ status: number; body: T }>
}

type Options = Parameters<typeof testFleet>[1]

/** A control plane that makes copies, whose instances are real runtimes. */
export async function backupFleet(
  t: Pick<TestContext, 'after'>,
  { env, ...options }: Options = {},
): Promise<BackupFleet> {
  const fleet = await testFleet(t, {
    ...options,
    env: { BACKUP_EVERY: '0ms', BACKUP_PROVE_EVERY: '0ms', PROVISIONER_STOP_GRACE: '5s', ...env },
    instanceProgram: builtRoot('runtime.js'),
    plugins: [backup, ...(options.plugins ?? [])],
  })
  return {
    ...fleet,
    copy: async subdomain => {
      const { status, body } = await fleet.admin<WireBackup>('POST', `/admin/instances/${subdomain}/backup`, {
        wait: 100,
      })
      if (status !== 201) throw new Error(`${status}: ${JSON.stringify(body)}`)
      return body
    },
    copies: async subdomain => {
      const path = `/admin/instances/${subdomain}/backups`
      return (await fleet.admin<{ backups: WireBackup[] }>('GET', path)).body.backups
    },
    asOwner: async (subdomain, password) => await ownerSession(fleet, subdomain, password),
  }
}

async function ownerSession(fleet: TestFleet, subdomain: string, password: string): Promise<OwnerSession> {
  const host = `${subdomain}.localhost:${fleet.port}`
  const address = `http://127.0.0.1:${fleet.port}`
  const send = async (method: string, path: string, body: unknown, cookie: string) => {
    const { request } = await import('node:http')
    return await new Promise<{ status: number; text: string; cookie: string }>((resolve, reject) => {
      const sent = request(
        `${address}${path}`,
        { method, headers: { Host: host, Accept: 'application/json', Cookie: cookie } },
        answer => {
          let text = ''
          answer.setEncoding('utf8')
          answer.on('data', piece => {
            text += piece
          })
          answer.on('end', () =>
            resolve({
              status: answer.statusCode ?? 0,
              text,
              cookie: (answer.headers['set-cookie'] ?? []).map(each => each.split(';')[0]).join('; '),
            }),
          )
        },
      )
      sent.on('error', reject)
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }
  const { status, cookie, text } = await send('POST', '/api/auth/password', { password }, '')
  if (status !== 200) throw new Error(`could not sign in: ${status} ${text}`)
  const json = async (method: string, path: string, body?: unknown) => {
    const answer = await send(method, path, body, cookie)
    return { status: answer.status, body: answer.text === '' ? null : JSON.parse(answer.text) }
  }
  return {
    get: path => json('GET', path),
    post: (path, body) => json('POST', path, body),
    put: (path, body) => json('PUT', path, body),
  }
}
