import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from '../src/testing/folder.ts'

const root = join(import.meta.dirname, '..')

/**
 * The build that comes after this one: the same programs, with one more migration of the audit log. Returns the path of its control
 * plane.
 */
export function nextBuild(t: Pick<TestContext, 'after'>, sql: string): string {
  const folder = temporaryFolder(t)
  const dist = join(folder, 'dist')
  cpSync(join(root, 'dist'), dist, { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const migrations = join(dist, 'plugins/audit/migrations')
  const journal = join(migrations, 'meta/_journal.json')
  const { entries, ...rest } = JSON.parse(readFileSync(journal, 'utf8')) as {
    entries: { idx: number; when: number; tag: string }[]
  }
  const last = entries.at(-1)
  if (!last) throw new Error('the audit log has no migrations')
  const next = { ...last, idx: last.idx + 1, when: last.when + 1, tag: '9999_next' }
  writeFileSync(join(migrations, `${next.tag}.sql`), sql)
  writeFileSync(journal, JSON.stringify({ ...rest, entries: [...entries, next] }))
  return join(dist, 'control-plane.js')
}
