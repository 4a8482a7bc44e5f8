import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../src/testing/eventually.ts'
import { temporaryFolder } from '../src/testing/folder.ts'
import { makeQuickStore } from '../src/testing/quick-store.ts'
import { noRestic } from '../src/testing/restic.ts'
import { startLonghouse } from './longhouse.fixture.ts'

/** How much is written; more with `WRITES=1000`. */
const most = Number(process.env.WRITES ?? 200)
/** Writers at the same time, as an editor, a script and jobs are. */
const writers = 4

const manifest = `import { jobRegistry } from 'longhouse/jobs'
jobRegistry.register({
  id: 'note',
  cron: '0 0 1 1 *',
  params: { key: { type: 'string', optional: true } },
  func: async ({ params, state }) => {
    await state.set(String(params.key), true)
  },
})
`

/** One thing that was written and answered for, and when the answer was there. */
interface Written {
  kind: 'file' | 'secret' | 'run' | 'state'
  name: string
  at: number
}

/** The processes that copy a volume, as the control plane of this test started them. */
function copiersOf(volume: string): number[] {
  return readdirSync('/proc')
    .filter(pid => /^\d+$/.test(pid))
    .filter(pid => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
        return words.includes('pack') && words.includes(volume)
      } catch {
        return false
      }
    })
    .map(Number)
}

test('a copy made during many writes has every record that was answered for before it began', {
  skip: noRestic,
  timeout: 1_800_000,
}, async t => {
  const dataRoot = temporaryFolder(t)
  mkdirSync(join(dataRoot, '.control'), { mode: 0o700 })
  makeQuickStore(join(dataRoot, '.control'))
  const longhouse = await startLonghouse(t, { driver: 'process', dataRoot })
  const { password } = await longhouse.provision('busy')
  const api = await longhouse.login('busy', password)
  const change = async (method: string, path: string, body?: object) => {
    const reply = await api(path, { method, ...(body && { body }) })
    assert.ok(reply.status < 300, `${method} ${path}: ${reply.status} ${reply.text}`)
    return reply
  }
  await change('POST', '/api/jobs/repo/init')
  await change('PUT', '/api/jobs/repo/files/manifest.ts', { content: manifest })
  await eventually('the job is there', async () => {
    const { text } = await api('/api/jobs')
    assert.match(text, /"id":"note"/)
    return true
  })

  const written: Written[] = []
  const answered = (kind: Written['kind'], name: string) => written.push({ kind, name, at: Date.now() })
  let begun = 0
  const write = async (number: number): Promise<void> => {
    const name = `N${number}`
    // Most are saves; the kinds come in an order that does not repeat with the writers.
    const kind = number % 11 === 0 ? 'run' : number % 7 === 0 ? 'secret' : 'file'
    if (kind === 'file') {
      await change('PUT', `/api/jobs/repo/files/notes/${name}.txt`, { content: name })
      answered('file', name)
    } else if (kind === 'secret') {
      await change('PUT', `/api/secrets/${name}`, { value: name })
      answered('secret', name)
    } else {
      const { id } = (await change('POST', '/api/jobs/note/run', { params: { key: name } })).json<{
        id: string
      }>()
      answered('run', id)
      await eventually(`the run ${name} has ended`, async () => {
        const { status } = (await api(`/api/runs/${id}`)).json<{ status: string }>()
        return !['queued', 'running'].includes(status)
      })
      answered('state', name)
    }
  }
  const writing = Promise.all(
    Array.from({ length: writers }, async () => {
      while (begun < most) await write(++begun)
    }),
  )
  const copies: { id: string; at: number }[] = []
  const copy = async () => {
    const reply = await longhouse.admin('/admin/instances/busy/backup', { method: 'POST', wait: 120 })
    return { ...reply.json<{ id: string; created_at: string; detail?: string }>(), status: reply.status }
  }
  for (const share of [0.1, 0.4, 0.7]) {
    await eventually(`${share} is written`, () => begun >= most * share, { withinMs: 900_000 })
    const { status, id, created_at } = await copy()
    assert.equal(status, 201)
    copies.push({ id, at: Date.parse(created_at) })
  }
  // One whose program is killed leaves no half copy, and the next one is whole.
  const killed = copy()
  await eventually('the copy is being made', () =>
    copiersOf(join(dataRoot, 'busy')).some(pid => process.kill(pid, 'SIGKILL')),
  )
  const { status, detail = '' } = await killed
  assert.deepEqual(
    [status, /The instance and its other backups are unchanged/.test(detail)],
    [502, true],
    detail,
  )
  const last = await copy()
  assert.equal(last.status, 201)
  copies.push({ id: last.id, at: Date.parse(last.created_at) })
  await writing
  const { backups } = (await longhouse.admin('/admin/instances/busy/backups')).json<{
    backups: { id: string }[]
  }>()
  assert.deepEqual(backups.map(({ id }) => id).toSorted(), copies.map(({ id }) => id).toSorted())

  for (const { id, at } of copies) {
    const restored = await longhouse.admin('/admin/instances/busy/restore', {
      body: { backup: id },
      wait: 120,
    })
    assert.match(restored.text, /"status":"succeeded"/)
    const before = written.filter(each => each.at < at)
    const again = await longhouse.login('busy', password)
    const { secrets } = (await again('/api/secrets')).json<{ secrets: { name: string }[] }>()
    const { entries } = (await again('/api/jobs/note/state')).json<{ entries: { key: string }[] }>()
    const has = {
      secret: new Set(secrets.map(({ name }) => name)),
      state: new Set(entries.map(({ key }) => key)),
    }
    const missing: Written[] = []
    for (const each of before) {
      const { kind, name } = each
      const isThere =
        kind === 'file'
          ? (await again(`/api/jobs/repo/files/notes/${name}.txt`)).json<{ content?: string }>().content ===
            name
          : kind === 'run'
            ? (await again(`/api/runs/${name}`)).status === 200
            : has[kind].has(name)
      if (!isThere) missing.push(each)
    }
    assert.deepEqual(missing, [])
    t.diagnostic(
      `${before.length} of ${written.length} records were answered for before, and are in the copy`,
    )
  }
})
