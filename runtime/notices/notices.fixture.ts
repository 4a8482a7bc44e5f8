import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { silentLog } from '../../src/log.ts'
import { openSqlite, openTables } from '../../src/storage/database.ts'
import { openSeal } from '../../src/storage/seal.ts'
import { type Inbox, startInbox } from '../../src/testing/inbox.ts'
import { standingClock, startInstance, type TestInstance } from '../engine.fixture.ts'
import { type Notices, openNotices } from './notices.ts'
import * as schema from './schema.ts'

export interface Hook {
  url: string
  calls: { method: string; path: string; headers: IncomingHttpHeaders; body: string }[]
  /** What it answers with. */
  status: number
}

/** An HTTP server that writes down what it is sent. */
export async function startHook(t: Pick<TestContext, 'after'>): Promise<Hook> {
  const hook: Hook = { url: '', calls: [], status: 204 }
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', piece => {
      body += piece
    })
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request
      hook.calls.push({ method, path, headers, body })
      response.writeHead(hook.status).end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  hook.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  return hook
}

export interface Watched {
  instance: TestInstance
  notices: Notices
  clock: ReturnType<typeof standingClock>
  inbox: Inbox
  hook: Hook
  /** Looks once and sends what is due. */
  round(): Promise<void>
}

interface WatchOptions {
  failuresInARow?: number
  /** False leaves it to the test to set a channel up. */
  channels?: boolean
}

/** An instance that is watched, with two channels set up; time stands until the test moves it. */
export async function startWatched(
  t: TestContext,
  options: { files: Record<string, string>; at?: number } & WatchOptions,
): Promise<Watched> {
  const clock = standingClock(options.at ?? Date.UTC(2026, 10, 22, 12))
  const instance = await startInstance(t, { files: options.files, clock })
  return watchOver(t, instance, { ...options, clock })
}

/** Notices over an instance that is there already. */
export async function watchOver(
  t: TestContext,
  instance: TestInstance,
  options: { clock: Watched['clock'] } & WatchOptions,
): Promise<Watched> {
  const { clock } = options
  const sqlite = openSqlite(join(instance.dir, 'longhouse.db'))
  t.after(() => sqlite.close())
  const db = openTables(sqlite, 'notices', { schema, migrations: 'runtime/notices/migrations' })
  const seal = openSeal({ given: null, keyFile: join(instance.dir, 'secret.key') })
  const [inbox, hook] = await Promise.all([startInbox(t), startHook(t)])
  const place = { name: 'acme', origin: 'https://acme.example.com' }
  const mail = { smtpUrl: inbox.url, smtpFrom: 'jobs@acme.example.com' }
  const notices = openNotices({
    db,
    sendNow: () => {},
    seal,
    clock,
    log: silentLog,
    place,
    product: 'Longhouse',
    mail,
  })
  notices.settings.save({ failuresInARow: options.failuresInARow ?? 1 })
  if (options.channels !== false)
    notices.settings.save({ emailTo: 'owner@example.com', webhookUrl: hook.url })
  const round = async () => {
    await notices.watch(instance.engine)
    await notices.outbox.flush()
  }
  await round()
  return { instance, notices, clock, inbox, hook, round }
}
