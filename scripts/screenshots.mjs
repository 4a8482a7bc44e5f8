// `node scripts/screenshots.mjs`: takes the pictures of the README, docs/images/*.png, again. It starts the built control
// plane on a data root of its own, with four instances and a few realistic jobs. Needs Chromium and `npm run build`.
// `node scripts/screenshots.mjs <folder>` takes every page of the instance instead, wide, narrow and dark, to look at.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { chromium } from 'playwright-core'
import { endOf, node, root } from './setup.mjs'

const folder = process.argv[2]
const port = 8791
const control = `http://control.localhost:${port}`
const acme = `http://acme.localhost:${port}`
const data = mkdtempSync(join(tmpdir(), 'longhouse-pictures-'))

const manifest = `import { jobRegistry } from 'longhouse/jobs'
import * as jobs from './jobs/all'

const timezone = 'Europe/Berlin'
jobRegistry.register({ id: 'daily-digest', cron: '0 8 * * *', timezone, func: jobs.digest, description: 'Send my daily summary.' })
jobRegistry.register({ id: 'sync-orders', cron: '0 * * * *', timezone, func: jobs.orders, retry: { attempts: 2, delay: '5s' }, description: 'Copy new orders into the books.' })
jobRegistry.register({ id: 'backup', cron: '30 2 * * *', timezone, func: jobs.backup, timeout: '1h', description: 'Copy the database to cold storage.' })
jobRegistry.register({ id: 'weekly-report', cron: '0 9 * * MON', timezone: 'America/New_York', func: jobs.report, description: 'Mail the numbers before the meeting.' })
`
const source = `import type { JobContext } from 'longhouse/jobs'
const wait = (ms: number) => new Promise(done => setTimeout(done, ms))

export async function digest({ log }: JobContext) {
  log('Collecting yesterday’s events')
  await wait(180)
  log('41 orders, 3 refunds, 2 new customers')
  log('Sent to ada@acme.example')
  return { orders: 41, refunds: 3 }
}
export async function orders({ params, log }: JobContext) {
  const { count = 12, fail = false } = params as { count?: number; fail?: boolean }
  log('Fetching orders since 2026-11-28T22:00:00Z')
  for (let page = 1; page <= 3; page++) {
    await wait(count * 8)
    log(\`Page \${page} of 3: \${count} orders\`)
    if (page === 2) console.warn('shop.example answered 429, waiting 200 ms')
  }
  if (fail) throw new Error('shop.example answered 503 Service Unavailable')
  log(\`Booked \${count * 3} orders\`)
  return { booked: count * 3 }
}
export async function backup({ log }: JobContext) {
  log('Dumping 214 MiB')
  await wait(420)
  log('Uploaded acme-2026-11-29.dump')
}
export const report = async ({ log }: JobContext) => log('Sent to 4 people')
`

const env = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  LONGHOUSE_DATA_ROOT: data,
  LONGHOUSE_PORT: String(port),
  PROVISIONER_DRIVER: 'process',
  ADMIN_TOKEN: 'a-token-for-the-pictures',
}
const program = spawn(node(), [join(root, 'dist/control-plane.js')], { env, stdio: ['ignore', 'ignore', 2] })
const ended = endOf(program)
try {
  await until(() => ask(`${control}/health`))
  const passwords = {}
  for (const [name, owner] of [
    ['acme', 'ada@acme.example'],
    ['globex', 'hank@globex.example'],
    ['initech', 'peter@initech.example'],
    ['umbrella', 'alice@umbrella.example'],
  ]) {
    const body = { subdomain: name, owner_email: owner }
    passwords[name] = (await admin('/admin/instances', body)).password
  }
  await admin('/admin/instances/globex/stop', {})
  mkdirSync(join(data, 'acme/jobs/jobs'), { recursive: true })
  writeFileSync(join(data, 'acme/jobs/jobs/all.ts'), source)
  writeFileSync(join(data, 'acme/jobs/manifest.ts'), manifest)

  const { headers } = await ask(`${acme}/api/auth/password`, { body: { password: passwords.acme } })
  const cookie = headers['set-cookie'][0].split(';')[0]
  const api = async (path, body) => (await ask(acme + path, { body, headers: { cookie } })).json
  await until(async () => (await api('/api/jobs')).jobs.some(job => job.id === 'sync-orders'))
  for (const count of [9, 14, 22, 12, 18, 11, 7, 16, 12, 9, 31, 25, 18, 12, 7, 13, 10, 14, 11, 40, 12, 15, 9])
    await api('/api/jobs/sync-orders/run', { params: { count, fail: count === 25 } })
  for (const id of ['daily-digest', 'backup', 'weekly-report']) await api(`/api/jobs/${id}/run`, {})
  await admin('/admin/instances/acme/stop', {})
  spreadOverADay(join(data, 'acme/longhouse.db'))
  await admin('/admin/instances/acme/start', {})
  await until(() => api('/api/jobs'))
  const { runs } = await api('/api/jobs/sync-orders/runs')
  const failed = runs.find(run => run.status === 'failed')

  const browser = await chromium.launch({ executablePath: chromiumPath(), args: ['--no-sandbox'] })
  const visit = async (look, shots) => {
    const context = await browser.newContext({ deviceScaleFactor: 1.25, ...look })
    const page = await context.newPage()
    await page.goto(`${control}/login`)
    await page.getByLabel(/token/i).fill(env.ADMIN_TOKEN)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.goto(`${acme}/login`)
    await page.getByLabel('Password').fill(passwords.acme)
    await page.getByRole('button', { name: 'Sign in' }).click()
    for (const [name, address] of shots) {
      if (address === null) {
        await page.goto(`${acme}/jobs/sync-orders`)
        await page.getByRole('button', { name: 'Run now' }).click()
        await page.getByText('Booked 36 orders').waitFor()
        await page.getByText('Succeeded').first().waitFor()
      } else await page.goto(address)
      await page.screenshot({ path: name, fullPage: folder !== undefined })
    }
    await context.close()
  }
  if (folder) {
    const pages = {
      jobs: '/',
      job: '/jobs/sync-orders',
      failed: `/runs/${failed.id}`,
      form: '/jobs/sync-orders/run',
      runs: '/runs',
      repo: '/repo',
      files: '/repo/files',
      editor: '/repo/files/manifest.ts',
      history: '/repo/history',
      remote: '/repo/remote',
      secrets: '/secrets',
      notices: '/settings',
      incidents: '/settings/notices',
      tokens: '/settings/tokens',
      'sign-in': '/settings/sign-in',
      audit: '/settings/audit',
      missing: '/jobs/none',
    }
    mkdirSync(folder, { recursive: true })
    const all = look =>
      Object.entries(pages)
        .map(([name, path]) => [join(folder, `${name}-${look}.png`), `${acme}${path}`])
        .concat([[join(folder, `run-${look}.png`), null]])
    const viewport = { width: 1180, height: 800 }
    await visit({ viewport }, all('light'))
    await visit({ viewport: { width: 390, height: 800 } }, all('phone'))
    await visit({ viewport, colorScheme: 'dark' }, all('dark'))
  } else {
    const images = join(root, 'docs/images')
    mkdirSync(images, { recursive: true })
    await visit({ viewport: { width: 1120, height: 440 } }, [[join(images, 'operator.png'), `${control}/`]])
    await visit({ viewport: { width: 1120, height: 610 } }, [
      [join(images, 'jobs.png'), `${acme}/`],
      [join(images, 'run.png'), null],
    ])
  }
  await browser.close()
} finally {
  program.kill('SIGTERM')
  await ended
  rmSync(data, { recursive: true, force: true, maxRetries: 5 })
}

/** Makes the runs so far those of the due times of the last 24 hours. */
function spreadOverADay(file) {
  const database = new Database(file)
  const hour = 3_600_000
  const thisHour = Math.floor(Date.now() / hour) * hour
  const lastAt = (hours, minutes) => {
    const at = thisHour + (hours - 1 - new Date(thisHour).getUTCHours()) * hour + minutes * 60_000
    return at > Date.now() ? at - 24 * hour : at
  }
  const rows = database.prepare('select seq, id, jobId, durationMs from jobs_runs order by seq desc').all()
  let hours = 0
  for (const { seq, id, jobId, durationMs } of rows) {
    const at =
      jobId === 'sync-orders' ? thisHour - hours++ * hour : jobId === 'backup' ? lastAt(2, 30) : lastAt(8, 0)
    if (jobId === 'weekly-report') continue
    database
      .prepare(
        "update jobs_runs set trigger = 'schedule', slot = ?, startedAt = ?, finishedAt = ? where seq = ?",
      )
      .run(at, at + 20, at + 20 + durationMs, seq)
    database
      .prepare("insert into jobs_slots (jobId, at, outcome, runId, decidedAt) values (?, ?, 'ran', ?, ?)")
      .run(jobId, at, id, at)
  }
  database.close()
}

async function admin(path, body) {
  const headers = { authorization: `Bearer ${env.ADMIN_TOKEN}` }
  return (await ask(control + path, { body, headers })).json
}

/** Node does not know that `*.localhost` is this machine. */
function ask(address, { body, headers = {} } = {}) {
  const { host, pathname } = new URL(address)
  const method = body ? 'POST' : 'GET'
  return new Promise((resolve, reject) => {
    const asked = request({ port, path: pathname, method, headers: { host, prefer: 'wait=60', ...headers } })
    asked.on('error', reject).on('response', async answer => {
      let text = ''
      for await (const part of answer.setEncoding('utf8')) text += part
      if (answer.statusCode >= 300) reject(new Error(`${address}: ${answer.statusCode} ${text}`))
      else resolve({ headers: answer.headers, json: JSON.parse(text) })
    })
    asked.end(body && JSON.stringify(body))
  })
}

async function until(holds) {
  for (let tries = 0; tries < 300; tries++) {
    if (await holds().catch(() => false)) return
    await pause(200)
  }
  throw new Error('gave up waiting')
}

function chromiumPath() {
  const names = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome']
  return process.env.CHROMIUM ?? names.map(name => `/usr/bin/${name}`).find(path => existsSync(path))
}
